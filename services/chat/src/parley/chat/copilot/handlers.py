"""Endpoints of the copilot."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.copilot.schemas import CopilotResponse, RewriteBody, SourceSchema, SuggestionResponse, TextResponse
from parley.chat.copilot.service import CopilotService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class CopilotHandlers:
    copilot: CopilotService

    async def get(self, context: RequestContext[OperatorCaller, None, None]) -> CopilotResponse:
        available = await self.copilot.is_available(context.caller, context.path["site_id"])
        return CopilotResponse(available=available)

    async def suggest(self, context: RequestContext[OperatorCaller, None, None]) -> SuggestionResponse:
        suggestion = await self.copilot.suggest(context.caller, context.path["id"])
        sources = [SourceSchema(question=source.question, answer=source.answer) for source in suggestion.sources]
        return SuggestionResponse(text=suggestion.text, sources=sources)

    async def rewrite(self, context: RequestContext[OperatorCaller, RewriteBody, None]) -> TextResponse:
        body = context.body
        text = await self.copilot.rewrite(context.caller, context.path["id"], body.text, body.style, body.language)
        return TextResponse(text=text)

    async def summarize(self, context: RequestContext[OperatorCaller, None, None]) -> TextResponse:
        return TextResponse(text=await self.copilot.summarize(context.caller, context.path["id"]))
