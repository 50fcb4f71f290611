"""The endpoint of a site's routing."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.assignment.routing_service import RoutingService
from parley.chat.sites.routing_schemas import RoutingBody, RoutingResponse, serialize_routing
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class RoutingHandlers:
    routing: RoutingService

    async def replace(self, context: RequestContext[OperatorCaller, RoutingBody, None]) -> RoutingResponse:
        routing = await self.routing.replace(context.caller, context.path["site_id"], context.body.to_routing())
        return RoutingResponse(routing=serialize_routing(routing))
