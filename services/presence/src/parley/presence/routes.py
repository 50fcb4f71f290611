"""Route table of presence: paths, callers, permissions and schemas."""

from __future__ import annotations

from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route
from parley.presence.operators import schemas as operator_schemas
from parley.presence.operators.handlers import OperatorHandlers
from parley.presence.schemas import HeartbeatResponse
from parley.presence.visitors import schemas as visitor_schemas
from parley.presence.visitors.handlers import VisitorHandlers

_OPERATOR = "/api/v1/operator"


def build_routes(operators: OperatorHandlers, visitors: VisitorHandlers) -> list[Route]:
    """Return all routes of the service."""
    return [
        Route(
            "POST",
            f"{_OPERATOR}/heartbeat",
            operators.heartbeat,
            CallerType.OPERATOR,
            HeartbeatResponse,
            "Keep the operator online on sites",
            required_permission=Permission.CHAT,
            body=operator_schemas.OperatorHeartbeatBody,
            rate_limit=RateLimitClass.HEARTBEAT,
            example={"site_ids": [1, 2]},
        ),
        Route(
            "GET",
            f"{_OPERATOR}/status",
            operators.get_status,
            CallerType.OPERATOR,
            operator_schemas.StatusResponse,
            "Get the operator's online status",
            query=operator_schemas.StatusQuery,
            example={"site_id": 1},
        ),
        Route(
            "POST",
            f"{_OPERATOR}/set-status",
            operators.set_status,
            CallerType.OPERATOR,
            operator_schemas.SetStatusResponse,
            "Set the operator online or offline on a site manually",
            required_permission=Permission.CHAT,
            body=operator_schemas.SetStatusBody,
            rate_limit=RateLimitClass.WRITE,
            example={"site_id": 1, "online": True},
        ),
        Route(
            "GET",
            f"{_OPERATOR}/online-visitors",
            visitors.list_on_site,
            CallerType.OPERATOR,
            visitor_schemas.VisitorListResponse,
            "List the visitors who are online on a site",
            required_permission=Permission.VIEW,
            query=visitor_schemas.SiteVisitorListQuery,
            example={"site_id": 1},
        ),
        Route(
            "GET",
            f"{_OPERATOR}/all-online-visitors",
            visitors.list_on_all_sites,
            CallerType.OPERATOR,
            visitor_schemas.VisitorListResponse,
            "List the visitors who are online on any of the operator's sites",
            required_permission=Permission.VIEW,
            query=visitor_schemas.VisitorListQuery,
            example={"limit": 50},
        ),
        Route(
            "POST",
            "/api/v1/chat/heartbeat",
            visitors.heartbeat,
            CallerType.VISITOR,
            visitor_schemas.VisitorHeartbeatResponse,
            "Keep the visitor online and report their page",
            body=visitor_schemas.VisitorHeartbeatBody,
            rate_limit=RateLimitClass.HEARTBEAT,
            example={
                "page": "https://shop.example/cart",
                "title": "Your cart",
                "referrer": "https://search.example/",
                "lang": "de-AT",
            },
        ),
    ]
