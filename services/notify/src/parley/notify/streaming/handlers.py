"""The two event streams: an operator's and a visitor's."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import Forbidden
from parley.common.http import Call, Query
from parley.notify.streaming.server import Streams

_LAST_EVENT_ID = "Last-Event-ID"


class StreamQuery(Query):
    """For clients that cannot send the header `Last-Event-ID`."""

    last_event_id: str | None = Field(None, max_length=64, description="Where to resume; the header goes before it.")


class OperatorStreamQuery(StreamQuery):
    """The gateway reads and removes the token; it stands here for the document."""

    token: str | None = Field(
        None, max_length=8192, description="A JWT or a stream ticket, since EventSource cannot send headers."
    )


class StreamHandlers:
    """Opens streams."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    async def operator(self, call: Call[OperatorCaller, None, OperatorStreamQuery]) -> web.StreamResponse:
        if not call.caller.site_ids:
            raise Forbidden("You may not see the conversations of any site.")
        return await self._streams.serve(call.request, call.caller, _last_event_id(call.request, call.query))

    async def visitor(self, call: Call[VisitorCaller, None, StreamQuery]) -> web.StreamResponse:
        return await self._streams.serve(call.request, call.caller, _last_event_id(call.request, call.query))


def _last_event_id(request: web.Request, query: StreamQuery) -> str | None:
    return request.headers.get(_LAST_EVENT_ID) or query.last_event_id
