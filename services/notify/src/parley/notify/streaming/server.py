"""A stream's life: admitted, greeted, given what it missed, live, ended."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import Unavailable
from parley.notify import metrics
from parley.notify.streaming.frames import own_frame
from parley.notify.streaming.hub import Hub
from parley.notify.streaming.log_tailer import Tail
from parley.notify.streaming.replay_buffer import Entry, Window
from parley.notify.streaming.response import EventStream
from parley.notify.streaming.subscriber import Stream

_POSITION = re.compile(r"^(-1|\d{1,18})$")
_PACED_BYTES = 65_536
"""Replay pauses above this backlog, which is where transports say that they are full."""
_PATIENCE_SECONDS = 20.0
_AHEAD_SECONDS = 2.0
_AHEAD_LOOKS = 80


class Streams:
    """Opens streams and serves them until they end."""

    def __init__(self, hub: Hub, window: Window, tail: Tail) -> None:
        self._hub = hub
        self._window = window
        self._tail = tail

    async def serve(
        self, request: web.Request, caller: OperatorCaller | VisitorCaller, last_event_id: str | None
    ) -> web.StreamResponse:
        """The stream itself. Raises StreamsTooMany, AccessOutdated, Draining, Unavailable (the log is not read yet)."""
        if not self._tail.warm:
            raise Unavailable("Live events are not available yet. Please try again.", retry_after=1)
        stream = self._hub.admit(caller)
        response = EventStream()
        try:
            await response.prepare(request)
            stream.attach(response.opened(request), chunked=request.version >= (1, 1))
            since = await self._reached(last_event_id)
            await self._catch_up(stream, response, self._greet(stream, caller, last_event_id, since))
            await stream.ended
        finally:
            self._hub.leave(stream)
        if stream.transport is not None:
            await response.finish(stream.transport)
        return response

    async def _reached(self, last_event_id: str | None) -> int | None:
        """The position to resume from; None where there is none that this replica knows.

        Another replica may be a moment ahead of this one: a position beyond our end is given that moment.
        """
        if last_event_id is None or not _POSITION.match(last_event_id):
            return None
        since = int(last_event_id)
        for _ in range(_AHEAD_LOOKS):
            if since <= self._window.last:
                break
            await asyncio.sleep(_AHEAD_SECONDS / _AHEAD_LOOKS)
        return since if self._window.covers(since) else None

    def _greet(
        self, stream: Stream, caller: OperatorCaller | VisitorCaller, last_event_id: str | None, resumed: int | None
    ) -> int:
        """Write `ready`, and `reset` where it cannot be resumed. Returns the position to go on from."""
        start = self._window.last if resumed is None else resumed
        lost = bool(last_event_id) and resumed is None
        about = {"sites": list(stream.sites), "resumed_from": resumed, **_who(caller)}
        # Before a reset, `ready` carries no id: a client cut between the two comes back with the old one, and is
        # told again that it has to refetch.
        stream.send(own_frame("ready", None if lost else start, about))
        if lost:
            stream.send(own_frame("reset", start, {"reason": "the missed events are not kept any more: fetch again"}))
        metrics.RESUMES.labels("reset" if lost else "fresh" if resumed is None else "resumed").inc()
        return start

    async def _catch_up(self, stream: Stream, response: EventStream, position: int) -> None:
        """Write what was missed, at the client's pace, and go live where nothing is: no await lies between the two."""
        while missed := self._missed(stream, position):
            for entry in missed:
                if stream.reason:
                    return
                stream.send(entry.for_operators if stream.session is None else entry.for_visitor())
                self._hub.replayed(stream, entry)
                position = entry.position
                if stream.backlog() > _PACED_BYTES:
                    try:
                        await response.drained(_PATIENCE_SECONDS)
                    except TimeoutError:
                        self._hub.leave(stream, "stalled")
                        return
        self._hub.go_live(stream)

    def _missed(self, stream: Stream, position: int) -> Sequence[Entry]:
        if stream.reason or position >= self._window.last:
            return ()
        if stream.session is not None:
            return self._window.for_session(stream.session, position)
        return self._window.for_sites(stream.sites, position)


def _who(caller: OperatorCaller | VisitorCaller) -> dict[str, Any]:
    if isinstance(caller, OperatorCaller):
        return {"operator": {"id": caller.operator_id, "name": caller.name}}
    return {}
