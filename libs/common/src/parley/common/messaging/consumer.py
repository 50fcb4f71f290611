"""Events in, from a consumer group's quorum queue: one at a time, in order, acknowledged when handled.

A handler that fails is tried again after a pause; the sixth time the broker puts the event with the dead letters. An
event that the catalogue does not know goes there at once: no retry would make it better.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

import orjson
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from parley.common.events import Event, UnknownEvent, event_class, parse_event
from parley.common.messaging import topology
from parley.common.messaging.broker import channel_closed_event
from parley.common.messaging.instrumentation import consumer_span
from parley.common.observability import metrics
from parley.common.observability.logging import get_logger, start_or_continue_trace
from parley.common.runtime.tasks import cancel_and_wait

log = get_logger(__name__)

Handler = Callable[[Event], Awaitable[None]]


class PoisonMessage(Exception):
    """Raised by a handler: this event can never be handled; put it with the dead letters now."""


class Consumer:
    """A consumer group. `handlers` maps event types to what is done with them; the queue is bound to those alone.

    `keys` narrows a type to the events whose routing key ends so (`message.created.#.translate.#`); one that is
    `log_alone` has to be. With `side_by_side`, up to `prefetch` conversations are handled at once, each still in its
    own order. Raises TypeError where nothing would ever come, and Undefined for what the catalogue does not know.
    """

    def __init__(
        self,
        service: str,
        queue_name: str,
        handlers: Mapping[str, Handler],
        *,
        prefetch: int = 32,
        binding_patterns: Mapping[str, str] | None = None,
        concurrent_partitions: bool = False,
    ) -> None:
        for kind in handlers:
            if event_class(kind).stream_only and kind not in (binding_patterns or {}):
                raise TypeError(f"{kind} goes to the log alone: a queue has to name the hint of those that it wants")
        self.name = f"parley.{service}.{queue_name}"
        self.running = False
        self._handlers = handlers
        self._prefetch = prefetch
        self._keys = binding_patterns or {}
        self._side_by_side = concurrent_partitions

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel()
        try:
            gone = await channel_closed_event(channel)
            await channel.set_qos(prefetch_count=self._prefetch)
            keys = tuple(f"*.*.{self._keys.get(kind, kind)}" for kind in self._handlers)
            queue = await topology.declare_queue(channel, self.name, keys)
            inbox: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
            await queue.consume(inbox.put)
            self.running = True
            work = asyncio.create_task(self._work(inbox), name=f"{self.name}:work")
            gone_task = asyncio.create_task(gone.wait())
            try:
                await asyncio.wait({work, gone_task}, return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    work.result()
            finally:
                await cancel_and_wait(work, gone_task)
        finally:
            self.running = False
            if not channel.is_closed:
                await channel.close()

    async def _work(self, inbox: asyncio.Queue[AbstractIncomingMessage]) -> None:
        if not self._side_by_side:
            while True:
                await self._take(await inbox.get())
        lanes: dict[object, deque[AbstractIncomingMessage]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                message = await inbox.get()
                lane = _conversation(message)
                waiting = lanes.get(lane)
                if waiting is not None:
                    waiting.append(message)
                else:
                    lanes[lane] = deque([message])
                    tasks.create_task(self._drain(lanes, lane), name=f"{self.name}:{lane}")

    async def _drain(self, lanes: dict[object, deque[AbstractIncomingMessage]], lane: object) -> None:
        waiting = lanes[lane]
        try:
            while waiting:
                await self._take(waiting.popleft())
        finally:
            del lanes[lane]

    async def _take(self, message: AbstractIncomingMessage) -> None:
        tries = _tries(message)
        try:
            event = parse_event(orjson.loads(message.body))
            start_or_continue_trace(event.request_id, event.traceparent)
            with consumer_span(event, self.name):
                await self._handlers[event.type](event)
        except (UnknownEvent, PoisonMessage, orjson.JSONDecodeError, KeyError) as exc:
            log.error("event_undeliverable", queue=self.name, event_id=message.message_id, error=repr(exc)[:300])
            metrics.EVENTS_CONSUMED.labels(self.name, "dead").inc()
            await message.reject(requeue=False)
        except Exception as exc:
            log.warning(
                "event_failed", queue=self.name, event_id=message.message_id, tries=tries, error=repr(exc)[:300]
            )
            metrics.EVENTS_CONSUMED.labels(self.name, "failed").inc()
            await asyncio.sleep(min(3.0, 0.1 * 4**tries))
            await message.nack(requeue=True)
        else:
            metrics.EVENTS_CONSUMED.labels(self.name, "done").inc()
            await message.ack()


def _conversation(message: AbstractIncomingMessage) -> object:
    """What an event's order is kept in; what cannot be read has a lane of its own, and is found out there."""
    try:
        return orjson.loads(message.body)["conversation_id"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None


def _tries(message: AbstractIncomingMessage) -> int:
    count = message.headers.get("x-delivery-count", 0)
    return count if isinstance(count, int) else 0
