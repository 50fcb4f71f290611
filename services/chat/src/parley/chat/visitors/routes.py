"""The routes of visitors, for operators."""

from __future__ import annotations

from parley.chat.conversations.schemas import ConversationResponse
from parley.chat.paging.schemas import NumberedPageQuery
from parley.chat.visitors.handlers import VisitorHandlers
from parley.chat.visitors.schemas import (
    BlockBody,
    BlockedVisitorsQuery,
    BlockedVisitorsResponse,
    LeadsResponse,
    VisitorDetailsBody,
    VisitorResponse,
)
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route


def routes(handlers: VisitorHandlers) -> list[Route]:
    return [
        *(
            Route(
                method,
                "/api/v1/operator/conversation/{id}/visitor",
                handlers.update_details,
                CallerType.OPERATOR,
                ConversationResponse,
                "Edit the visitor's details",
                body=VisitorDetailsBody,
                example={"name": "Jane"},
                required_permission=Permission.CHAT,
                rate_limit=RateLimitClass.WRITE,
            )
            for method in ("PUT", "PATCH", "POST")
        ),
        Route(
            "POST",
            "/api/v1/operator/conversation/{id}/block",
            handlers.set_block,
            CallerType.OPERATOR,
            VisitorResponse,
            "Block or unblock a visitor",
            body=BlockBody,
            example={"blocked": True, "block_type": "both"},
            required_permission=Permission.CHAT,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "GET",
            "/api/v1/operator/blocked",
            handlers.list_blocked,
            CallerType.OPERATOR,
            BlockedVisitorsResponse,
            "Blocked visitors of a site",
            required_permission=Permission.VIEW,
            query=BlockedVisitorsQuery,
        ),
        Route(
            "GET",
            "/api/v1/sites/{site_id}/leads",
            handlers.list_leads,
            CallerType.OPERATOR,
            LeadsResponse,
            "Visitors of a site who left contact details",
            required_permission=Permission.VIEW,
            query=NumberedPageQuery,
        ),
    ]
