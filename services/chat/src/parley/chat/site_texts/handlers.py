"""HTTP handlers of a site's texts."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.site_texts.schemas import (
    SiteTextsResponse,
    TranslatedTextsResponse,
    TranslateTextsBody,
    UpdateTextsBody,
    serialize_texts,
    serialize_translated,
)
from parley.chat.site_texts.service import SiteTextService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class SiteTextHandlers:
    texts: SiteTextService

    async def show(self, context: RequestContext[OperatorCaller, None, None]) -> SiteTextsResponse:
        return serialize_texts(await self.texts.get(context.caller, context.path["site_id"]))

    async def update(self, context: RequestContext[OperatorCaller, UpdateTextsBody, None]) -> SiteTextsResponse:
        body = context.body
        site = await self.texts.update(context.caller, context.path["site_id"], body.language, body.to_changes())
        return serialize_texts(site)

    async def translate(
        self, context: RequestContext[OperatorCaller, TranslateTextsBody, None]
    ) -> TranslatedTextsResponse:
        body = context.body
        site, untranslated = await self.texts.draft(context.caller, context.path["site_id"], body.language, body.keys)
        return serialize_translated(site, list(untranslated))
