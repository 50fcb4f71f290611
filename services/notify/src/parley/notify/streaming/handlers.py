"""HTTP handlers of the two event streams: an operator's and a visitor's."""

from __future__ import annotations

from aiohttp import web

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import Forbidden
from parley.common.http import RequestContext
from parley.notify.streaming.schemas import OperatorStreamQuery, StreamQuery
from parley.notify.streaming.server import StreamServer

_LAST_EVENT_ID = "Last-Event-ID"


class StreamHandlers:
    def __init__(self, streams: StreamServer) -> None:
        self._streams = streams

    async def stream_for_operator(
        self, call: RequestContext[OperatorCaller, None, OperatorStreamQuery]
    ) -> web.StreamResponse:
        if not call.caller.site_ids:
            raise Forbidden("You may not see the conversations of any site.")
        return await self._streams.serve(call.request, call.caller, _last_event_id(call.request, call.query))

    async def stream_for_visitor(self, call: RequestContext[VisitorCaller, None, StreamQuery]) -> web.StreamResponse:
        return await self._streams.serve(call.request, call.caller, _last_event_id(call.request, call.query))


def _last_event_id(request: web.Request, query: StreamQuery) -> str | None:
    return request.headers.get(_LAST_EVENT_ID) or query.last_event_id
