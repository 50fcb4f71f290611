"""The life of a stream: register, send `ready`, replay missed events, go live, end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import Unavailable
from parley.notify import metrics
from parley.notify.streaming.event_log import EventLog
from parley.notify.streaming.frames import control_frame
from parley.notify.streaming.hub import Hub
from parley.notify.streaming.log_tailer import LogTailer
from parley.notify.streaming.positions import parse_event_id
from parley.notify.streaming.replay_buffer import BufferedEvent, ReplayBuffer
from parley.notify.streaming.response import SseResponse
from parley.notify.streaming.subscriber import Subscriber
from parley.notify.timeouts import (
    FIRST_STREAM_TIMEOUT_SECONDS,
    POSITION_POLL_INTERVAL_SECONDS,
    POSITION_WAIT_TIMEOUT_SECONDS,
    REPLAY_WRITE_TIMEOUT_SECONDS,
)

_REPLAY_PAUSE_BYTES = 65_536
"""A replay pauses above this many buffered bytes, the point at which a transport reports that it is full."""


class StreamServer:
    """Opens streams and serves each until it ends."""

    def __init__(self, hub: Hub, event_log: EventLog) -> None:
        self._hub = hub
        self._log = event_log

    async def serve(
        self, request: web.Request, caller: OperatorCaller | VisitorCaller, last_event_id: str | None
    ) -> web.StreamResponse:
        """Serve a stream until it ends.

        Raises Unavailable (the event log is not read yet, or the client has left), TooManyStreams, AccessOutdated,
        Unauthenticated, Draining.
        """
        with self._log.follow_for_stream(self._log.get_partition(caller.tenant_id)) as tailer:
            await self._wait_caught_up(tailer)
            subscriber = self._hub.register(caller)
            response = SseResponse()
            try:
                await response.prepare(request)
                subscriber.attach(response.get_transport(request), chunked=request.version >= (1, 1))
                resume_position = await _resolve_position(tailer.buffer, last_event_id)
                position = _send_ready(subscriber, tailer.buffer, caller, last_event_id, resume_position)
                await self._replay(subscriber, tailer.buffer, response, position)
                await subscriber.ended
            finally:
                self._hub.unregister(subscriber)
        if subscriber.transport is not None:
            await response.finish(subscriber.transport)
        return response

    async def _wait_caught_up(self, tailer: LogTailer) -> None:
        """Raises Unavailable."""
        try:
            await tailer.wait_caught_up(FIRST_STREAM_TIMEOUT_SECONDS if self._log.running else 0)
        except TimeoutError:
            message = "Live events are not available yet. Please try again."
            raise Unavailable(message, retry_after=1) from None

    async def _replay(self, subscriber: Subscriber, buffer: ReplayBuffer, response: SseResponse, position: int) -> None:
        """Write missed events as fast as the client reads, then go live.

        There is no await between finding no more events and going live, so there is no gap and no duplicate.
        """
        while missed := _missed_events(subscriber, buffer, position):
            for event in missed:
                if subscriber.end_reason:
                    return
                subscriber.send(event.frame if subscriber.visitor is None else event.encode_for_visitor())
                self._hub.record_replayed(subscriber, event)
                position = event.position
                if subscriber.buffered_bytes() > _REPLAY_PAUSE_BYTES:
                    try:
                        await response.wait_drained(REPLAY_WRITE_TIMEOUT_SECONDS)
                    except TimeoutError:
                        self._hub.unregister(subscriber, "stalled")
                        return
        self._hub.go_live(subscriber)


async def _resolve_position(buffer: ReplayBuffer, last_event_id: str | None) -> int | None:
    """Return the position to resume from; None if there is none or the replay buffer does not have it.

    Another replica may be ahead of this one, so wait a moment for a position beyond the end.
    """
    event_id = parse_event_id(last_event_id) if last_event_id is not None else None
    if event_id is None or event_id.partition != buffer.partition:
        return None
    for _ in range(round(POSITION_WAIT_TIMEOUT_SECONDS / POSITION_POLL_INTERVAL_SECONDS)):
        if event_id.position <= buffer.last_position:
            break
        await asyncio.sleep(POSITION_POLL_INTERVAL_SECONDS)
    if not buffer.can_replay_after(event_id.position) or not buffer.is_of_this_log(event_id):
        return None
    return event_id.position


def _send_ready(
    subscriber: Subscriber,
    buffer: ReplayBuffer,
    caller: OperatorCaller | VisitorCaller,
    last_event_id: str | None,
    resume_position: int | None,
) -> int:
    """Write `ready`, and `reset` if the stream cannot be resumed. Return the position to continue from."""
    position = buffer.last_position if resume_position is None else resume_position
    event_id = buffer.event_id(position)
    reset = bool(last_event_id) and resume_position is None
    resumed_from = last_event_id if resume_position is not None else None
    data = {"sites": list(subscriber.site_ids), "resumed_from": resumed_from, **_caller_info(caller)}
    # Before a reset, `ready` carries no id: a client that is disconnected between the two comes back with its old
    # position, and gets the reset again.
    subscriber.send(control_frame("ready", None if reset else event_id, data))
    if reset:
        reason = "the missed events are not available any more: fetch again"
        subscriber.send(control_frame("reset", event_id, {"reason": reason}))
    metrics.RESUMES.labels("reset" if reset else "fresh" if resume_position is None else "resumed").inc()
    return position


def _missed_events(subscriber: Subscriber, buffer: ReplayBuffer, position: int) -> Sequence[BufferedEvent]:
    if subscriber.end_reason or position >= buffer.last_position:
        return ()
    if subscriber.visitor is not None:
        return buffer.events_for_visitor(subscriber.visitor, position)
    return buffer.events_for_sites(subscriber.site_ids, position)


def _caller_info(caller: OperatorCaller | VisitorCaller) -> dict[str, Any]:
    if isinstance(caller, OperatorCaller):
        return {"operator": {"id": caller.operator_id, "name": caller.name}}
    return {}
