"""Visitors' heartbeats, and the lists that operators see of them."""

from __future__ import annotations

from datetime import UTC, datetime

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import Invalid
from parley.common.http import Call, decode_cursor, encode_cursor
from parley.presence.model import Place, Position
from parley.presence.schemas import (
    HeartbeatAnswer,
    PageQuery,
    SiteVisitorsQuery,
    VisitorHeartbeatBody,
    VisitorsAnswer,
)
from parley.presence.visitors.service import Found, Visitors

_LATEST_MILLISECONDS = 253_402_300_799_999


class VisitorHandlers:
    """`/api/v1/chat/heartbeat`, `/api/v1/operator/online-visitors` and `all-online-visitors`."""

    def __init__(self, visitors: Visitors) -> None:
        self._visitors = visitors

    async def heartbeat(self, call: Call[VisitorCaller, VisitorHeartbeatBody, None]) -> HeartbeatAnswer:
        body = call.body
        self._visitors.heartbeat(call.caller, Place(body.page, body.title, body.referrer, body.lang or None))
        return HeartbeatAnswer(expires_in=self._visitors.online_seconds)

    async def on_site(self, call: Call[OperatorCaller, None, SiteVisitorsQuery]) -> VisitorsAnswer:
        query = call.query
        return _page(await self._visitors.on_site(call.caller, query.site_id, query.limit, _position(query.cursor)))

    async def everywhere(self, call: Call[OperatorCaller, None, PageQuery]) -> VisitorsAnswer:
        query = call.query
        return _page(await self._visitors.everywhere(call.caller, query.limit, _position(query.cursor)))


def _page(found: Found) -> VisitorsAnswer:
    visitors, last = found
    cursor = None if last is None else encode_cursor(int(last.since.timestamp() * 1000 + 0.5), last.key)
    return VisitorsAnswer(visitors=visitors, next_cursor=cursor)


def _position(cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    milliseconds, key = decode_cursor(cursor, int, str)
    if not 0 <= milliseconds <= _LATEST_MILLISECONDS:
        raise Invalid({"cursor": "is not a cursor of this list"})
    whole, rest = divmod(milliseconds, 1000)
    return Position(datetime.fromtimestamp(whole, UTC).replace(microsecond=rest * 1000), key)
