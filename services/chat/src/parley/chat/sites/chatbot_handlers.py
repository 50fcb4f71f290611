"""HTTP handlers of the settings of a site's assistant."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.sites.chatbot_schemas import ChatbotBody, ChatbotResponse, serialize_chatbot
from parley.chat.sites.service import SiteService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class ChatbotHandlers:
    sites: SiteService

    async def show(self, context: RequestContext[OperatorCaller, None, None]) -> ChatbotResponse:
        site = await self.sites.get(context.caller, context.path["site_id"])
        return serialize_chatbot(site)

    async def update(self, context: RequestContext[OperatorCaller, ChatbotBody, None]) -> ChatbotResponse:
        site = await self.sites.update_chatbot(context.caller, context.path["site_id"], context.body.to_fields())
        return serialize_chatbot(site)
