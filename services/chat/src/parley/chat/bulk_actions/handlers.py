"""Endpoints of bulk actions."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.bulk_actions.schemas import BulkBody, BulkResponse, UndoResponse, to_results
from parley.chat.bulk_actions.service import BulkActionService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class BulkActionHandlers:
    actions: BulkActionService

    async def perform(self, context: RequestContext[OperatorCaller, BulkBody, None]) -> BulkResponse:
        outcome = await self.actions.perform(context.caller, context.body.to_request())
        return BulkResponse(action_id=outcome.action_id, results=to_results(outcome))

    async def undo(self, context: RequestContext[OperatorCaller, None, None]) -> UndoResponse:
        outcome = await self.actions.undo(context.caller, context.path["action_id"])
        return UndoResponse(results=to_results(outcome))
