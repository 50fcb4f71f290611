"""HTTP handlers of the AI's administration."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.ai.doctor import EngineDoctor
from parley.chat.ai.schemas import CheckBody, EngineCheckResponse, SpentTodayResponse
from parley.chat.ai.spending_service import SpendingService
from parley.chat.sites.engine_check_schemas import serialize_check
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class AiHandlers:
    doctor: EngineDoctor
    spending: SpendingService

    async def check(self, context: RequestContext[OperatorCaller, CheckBody, None]) -> EngineCheckResponse:
        body = context.body
        check = await self.doctor.check(context.caller, context.path["site_id"], body.to_changes(), body.engine)
        return EngineCheckResponse(check=serialize_check(check))

    async def get_today(self, context: RequestContext[OperatorCaller, None, None]) -> SpentTodayResponse:
        site, spent = await self.spending.get_today(context.caller, context.path["site_id"])
        return SpentTodayResponse(
            day=spent.day,
            replies=spent.replies,
            reply_limit=site.caps.site,
            tokens=spent.tokens,
            token_limit=spent.token_limit,
        )
