"""The table of everything notify answers."""

from __future__ import annotations

from parley.common.identity import Permission
from parley.common.web import Rate, Route, Who
from parley.notify.handlers.streams import OperatorStreamQuery, StreamHandlers, StreamQuery
from parley.notify.handlers.tickets import RedeemTicket, TicketHandlers, TicketRedeemed, TicketSold

_STREAM = "text/event-stream"


def routes(streams: StreamHandlers, tickets: TicketHandlers) -> list[Route]:
    """Method, path, handler, who, answer; see `parley.common.web.Route`."""
    return [
        Route(
            "GET",
            "/api/v1/operator/stream",
            streams.operator,
            Who.OPERATOR,
            None,
            "Live events of the caller's sites, as server-sent events; resumes by Last-Event-ID",
            needs=Permission.VIEW,
            query=OperatorStreamQuery,
            media=_STREAM,
        ),
        Route(
            "GET",
            "/api/v1/chat/events",
            streams.visitor,
            Who.VISITOR,
            None,
            "Live events of the visitor's own conversation, as server-sent events; resumes by Last-Event-ID",
            query=StreamQuery,
            media=_STREAM,
        ),
        Route(
            "POST",
            "/api/v1/operator/stream-ticket",
            tickets.sell,
            Who.OPERATOR,
            TicketSold,
            "A ticket that opens one stream within a minute, to stand in its address in place of the token",
            needs=Permission.VIEW,
            rate=Rate.WRITE,
        ),
        Route(
            "POST",
            "/internal/redeem-ticket",
            tickets.redeem,
            Who.GATEWAY,
            TicketRedeemed,
            "Who bought a ticket; once",
            body=RedeemTicket,
        ),
    ]
