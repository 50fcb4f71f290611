"""The table of everything notify answers."""

from __future__ import annotations

from parley.common.auth.identity import Permission
from parley.common.http import Answer, Rate, Route, Who
from parley.notify.push.handlers import PushTried, RegisterToken, RemoveToken, RemoveTokenQuery, TokenHandlers
from parley.notify.streaming.handlers import OperatorStreamQuery, StreamHandlers, StreamQuery
from parley.notify.tickets.handlers import RedeemTicket, TicketHandlers, TicketRedeemed, TicketSold

_STREAM = "text/event-stream"
_TOKEN = "/api/v1/operator/fcm-token"  # noqa: S105 - a path


def routes(streams: StreamHandlers, tickets: TicketHandlers, tokens: TokenHandlers) -> list[Route]:
    """Method, path, handler, who, answer; see `parley.common.http.Route`."""
    return [*_streams(streams, tickets), *_tokens(tokens)]


def _streams(streams: StreamHandlers, tickets: TicketHandlers) -> list[Route]:
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


def _tokens(tokens: TokenHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            _TOKEN,
            tokens.register,
            Who.OPERATOR,
            Answer,
            "Register a device for push notifications; it is the caller's from then on",
            body=RegisterToken,
            rate=Rate.WRITE,
            example={"token": "fR3kx0:APA91bE", "platform": "android"},
        ),
        Route(
            "DELETE",
            _TOKEN,
            tokens.remove,
            Who.OPERATOR,
            Answer,
            "Remove one of the caller's devices, or all of them",
            body=RemoveToken,
            query=RemoveTokenQuery,
            rate=Rate.WRITE,
            example={"token": "fR3kx0:APA91bE"},
        ),
        Route(
            "POST",
            f"{_TOKEN}/test",
            tokens.test,
            Who.OPERATOR,
            PushTried,
            "Ring the caller's devices, and tell what the provider said of each",
            rate=Rate.WRITE,
        ),
    ]
