"""HTTP handlers of triggers: for a site's managers, and for its visitors."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.schemas import OkResponse
from parley.chat.triggers.delivery import TriggerDelivery
from parley.chat.triggers.schemas import (
    CountsQuery,
    OrderBody,
    PreviewResponse,
    ShowTriggerBody,
    ShowTriggerResponse,
    TriggerBody,
    TriggerCountsResponse,
    TriggerListResponse,
    TriggerOpenedBody,
    TriggerResponse,
    WidgetTriggersQuery,
    WidgetTriggersResponse,
    serialize_counts,
    serialize_for_widget,
    serialize_shown,
    serialize_trigger,
)
from parley.chat.triggers.service import TriggerService
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class TriggerHandlers:
    triggers: TriggerService

    async def list_triggers(self, context: RequestContext[OperatorCaller, None, None]) -> TriggerListResponse:
        triggers = await self.triggers.list_triggers(context.caller, context.path["site_id"])
        return TriggerListResponse(triggers=[serialize_trigger(trigger) for trigger in triggers])

    async def add(self, context: RequestContext[OperatorCaller, TriggerBody, None]) -> TriggerResponse:
        trigger = await self.triggers.add(context.caller, context.path["site_id"], context.body.to_draft())
        return TriggerResponse(trigger=serialize_trigger(trigger))

    async def replace(self, context: RequestContext[OperatorCaller, TriggerBody, None]) -> TriggerResponse:
        site_id, trigger_id = context.path["site_id"], context.path["trigger_id"]
        trigger = await self.triggers.replace(context.caller, site_id, trigger_id, context.body.to_draft())
        return TriggerResponse(trigger=serialize_trigger(trigger))

    async def delete(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.triggers.delete(context.caller, context.path["site_id"], context.path["trigger_id"])
        return OkResponse()

    async def reorder(self, context: RequestContext[OperatorCaller, OrderBody, None]) -> TriggerListResponse:
        triggers = await self.triggers.reorder(context.caller, context.path["site_id"], context.body.trigger_ids)
        return TriggerListResponse(triggers=[serialize_trigger(trigger) for trigger in triggers])

    async def preview(self, context: RequestContext[OperatorCaller, None, None]) -> PreviewResponse:
        site_id, trigger_id = context.path["site_id"], context.path["trigger_id"]
        token, expires_at = await self.triggers.preview(context.caller, site_id, trigger_id)
        return PreviewResponse(token=token, expires_at=expires_at)

    async def list_counts(self, context: RequestContext[OperatorCaller, None, CountsQuery]) -> TriggerCountsResponse:
        counts = await self.triggers.list_counts(context.caller, context.path["site_id"], context.query.days)
        return TriggerCountsResponse(counts=[serialize_counts(one) for one in counts])


@dataclass(frozen=True, slots=True)
class TriggerDeliveryHandlers:
    delivery: TriggerDelivery

    async def list_live(
        self, context: RequestContext[VisitorCaller, None, WidgetTriggersQuery]
    ) -> WidgetTriggersResponse:
        token = context.query.preview
        if token is not None:
            previewed = await self.delivery.find_previewed(context.caller, token)
            return WidgetTriggersResponse(
                triggers=[] if previewed is None else [serialize_for_widget(previewed, preview=True)]
            )
        live = await self.delivery.list_live(context.caller)
        return WidgetTriggersResponse(triggers=[serialize_for_widget(trigger) for trigger in live])

    async def show(self, context: RequestContext[VisitorCaller, ShowTriggerBody, None]) -> ShowTriggerResponse:
        body = context.body
        return serialize_shown(await self.delivery.show(context.caller, body.trigger_ids, body.lang))

    async def record_opened(self, context: RequestContext[VisitorCaller, TriggerOpenedBody, None]) -> OkResponse:
        await self.delivery.record_opened(context.caller, context.body.trigger_id)
        return OkResponse()
