"""The route of a site's routing."""

from __future__ import annotations

from parley.chat.assignment.handlers import RoutingHandlers
from parley.chat.sites.routing_schemas import RoutingBody, RoutingResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route


def routes(handlers: RoutingHandlers) -> list[Route]:
    return [
        Route(
            "PUT",
            "/api/v1/sites/{site_id}/routing",
            handlers.replace,
            CallerType.OPERATOR,
            RoutingResponse,
            "Set how a site's waiting conversations are given to operators",
            body=RoutingBody,
            example={"routing": "round_robin", "capacity": 4, "fallbacks": [{"after_seconds": 60}]},
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
    ]
