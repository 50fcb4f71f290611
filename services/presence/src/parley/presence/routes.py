"""The table of presence: what it serves, to whom, and with which permission."""

from __future__ import annotations

from parley.common.auth.identity import Permission
from parley.common.http import Rate, Route, Who
from parley.presence import schemas
from parley.presence.operators.handlers import OperatorHandlers
from parley.presence.visitors.handlers import VisitorHandlers

_OPERATOR = "/api/v1/operator"


def table(operators: OperatorHandlers, visitors: VisitorHandlers) -> list[Route]:
    """Every route of the service."""
    return [
        Route(
            "POST",
            f"{_OPERATOR}/heartbeat",
            operators.heartbeat,
            Who.OPERATOR,
            schemas.HeartbeatAnswer,
            "Keep the operator online on sites",
            needs=Permission.CHAT,
            body=schemas.OperatorHeartbeatBody,
            rate=Rate.BEAT,
            example={"site_ids": [1, 2]},
        ),
        Route(
            "GET",
            f"{_OPERATOR}/status",
            operators.status,
            Who.OPERATOR,
            schemas.StatusAnswer,
            "Whether the operator is online, and where",
            query=schemas.StatusQuery,
            example={"site_id": 1},
        ),
        Route(
            "POST",
            f"{_OPERATOR}/set-status",
            operators.set_status,
            Who.OPERATOR,
            schemas.SetStatusAnswer,
            "Set the operator online or offline on a site by hand",
            needs=Permission.CHAT,
            body=schemas.SetStatusBody,
            rate=Rate.WRITE,
            example={"site_id": 1, "online": True},
        ),
        Route(
            "GET",
            f"{_OPERATOR}/online-visitors",
            visitors.on_site,
            Who.OPERATOR,
            schemas.VisitorsAnswer,
            "Visitors who have a site open now",
            needs=Permission.VIEW,
            query=schemas.SiteVisitorsQuery,
            example={"site_id": 1},
        ),
        Route(
            "GET",
            f"{_OPERATOR}/all-online-visitors",
            visitors.everywhere,
            Who.OPERATOR,
            schemas.VisitorsAnswer,
            "Visitors who have any of the operator's sites open now",
            needs=Permission.VIEW,
            query=schemas.PageQuery,
            example={"limit": 50},
        ),
        Route(
            "POST",
            "/api/v1/chat/heartbeat",
            visitors.heartbeat,
            Who.VISITOR,
            schemas.HeartbeatAnswer,
            "Keep the visitor online, and tell where they are",
            body=schemas.VisitorHeartbeatBody,
            rate=Rate.BEAT,
            example={
                "page": "https://shop.example/cart",
                "title": "Your cart",
                "referrer": "https://search.example/",
                "lang": "de-AT",
            },
        ),
    ]
