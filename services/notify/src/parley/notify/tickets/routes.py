"""The route table of stream tickets."""

from __future__ import annotations

from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route
from parley.notify.tickets.handlers import TicketHandlers
from parley.notify.tickets.schemas import RedeemedTicketResponse, RedeemTicketBody, TicketResponse


def ticket_routes(tickets: TicketHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            "/api/v1/operator/stream-ticket",
            tickets.issue,
            CallerType.OPERATOR,
            TicketResponse,
            "Get a one-time ticket that opens one stream within a minute, for use in the URL in place of the token",
            required_permission=Permission.VIEW,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            "/internal/redeem-ticket",
            tickets.redeem,
            CallerType.GATEWAY,
            RedeemedTicketResponse,
            "Redeem a stream ticket; works once",
            body=RedeemTicketBody,
        ),
    ]
