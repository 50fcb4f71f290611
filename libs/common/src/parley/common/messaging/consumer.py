"""Consumes events from a consumer group's quorum queue: in order, acknowledged when handled.

A failing handler is retried after a delay; after five redeliveries the broker moves the event to the dead letters. An
event that the registry does not define goes there immediately, since a retry cannot help.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

import orjson
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from parley.common.events import Event, UnknownEvent, event_class, parse_event
from parley.common.messaging import timeouts, topology
from parley.common.messaging.broker import channel_closed_event
from parley.common.messaging.instrumentation import consumer_span
from parley.common.observability import metrics
from parley.common.observability.logging import get_logger, start_or_continue_trace
from parley.common.runtime.backoff import backoff_seconds
from parley.common.runtime.tasks import run_until_one_ends

log = get_logger(__name__)

EventHandler = Callable[[Event], Awaitable[None]]


class PoisonMessage(Exception):
    """Raised by a handler for an event that it can never handle: it goes to the dead letters immediately."""


class Consumer:
    """A channel session for one consumer group. The queue is bound to the event types in `handlers`.

    `binding_patterns` replaces a type in its binding, to receive only some events of the type by their routing tag
    (`message.created.#.translate.#`); a type that is `stream_only` needs one. With `concurrent_partitions`, events of
    up to `prefetch` conversations are handled concurrently, each conversation's in order.

    Raises TypeError for a binding that would never match, UnknownEvent for a type that the registry does not define.
    """

    def __init__(
        self,
        service: str,
        queue_name: str,
        handlers: Mapping[str, EventHandler],
        *,
        prefetch: int = 32,
        binding_patterns: Mapping[str, str] | None = None,
        concurrent_partitions: bool = False,
    ) -> None:
        for event_type in handlers:
            if event_class(event_type).stream_only and event_type not in (binding_patterns or {}):
                raise TypeError(f"{event_type} is stream_only: it needs a binding pattern with a routing tag")
        self.name = f"parley.{service}.{queue_name}"
        self.running = False
        self._handlers = handlers
        self._prefetch = prefetch
        self._binding_patterns = binding_patterns or {}
        self._concurrent_partitions = concurrent_partitions

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel()
        try:
            closed = await channel_closed_event(channel)
            await channel.set_qos(prefetch_count=self._prefetch)
            binding_keys = tuple(
                f"*.*.{self._binding_patterns.get(event_type, event_type)}" for event_type in self._handlers
            )
            queue = await topology.declare_queue(channel, self.name, binding_keys)
            inbox: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
            await queue.consume(inbox.put)
            self.running = True
            await run_until_one_ends(self._consume(inbox), closed.wait())
        finally:
            self.running = False
            if not channel.is_closed:
                await channel.close()

    async def _consume(self, inbox: asyncio.Queue[AbstractIncomingMessage]) -> None:
        if not self._concurrent_partitions:
            while True:
                await self._handle(await inbox.get())
        partitions: dict[object, deque[AbstractIncomingMessage]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                message = await inbox.get()
                key = _ordering_key(message)
                waiting = partitions.get(key)
                if waiting is not None:
                    waiting.append(message)
                else:
                    partitions[key] = deque([message])
                    tasks.create_task(self._consume_partition(partitions, key), name=f"{self.name}:{key}")

    async def _consume_partition(self, partitions: dict[object, deque[AbstractIncomingMessage]], key: object) -> None:
        waiting = partitions[key]
        try:
            while waiting:
                await self._handle(waiting.popleft())
        finally:
            del partitions[key]

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        delivery_count = _delivery_count(message)
        try:
            event = parse_event(orjson.loads(message.body))
            handler = self._handlers.get(event.type)
            if handler is None:
                raise PoisonMessage(f"no handler for {event.type}")
            start_or_continue_trace(event.request_id, event.traceparent)
            with consumer_span(event, self.name):
                await handler(event)
        except (UnknownEvent, PoisonMessage, orjson.JSONDecodeError) as exc:
            log.error("event_undeliverable", queue=self.name, event_id=message.message_id, error=repr(exc)[:300])
            metrics.EVENTS_CONSUMED.labels(self.name, "dead").inc()
            await message.reject(requeue=False)
        except Exception as exc:
            log.warning(
                "event_failed",
                queue=self.name,
                event_id=message.message_id,
                tries=delivery_count,
                error=repr(exc)[:300],
            )
            metrics.EVENTS_CONSUMED.labels(self.name, "failed").inc()
            await asyncio.sleep(_redelivery_delay(delivery_count))
            await message.nack(requeue=True)
        else:
            metrics.EVENTS_CONSUMED.labels(self.name, "done").inc()
            await message.ack()


def _redelivery_delay(delivery_count: int) -> float:
    return backoff_seconds(
        2 * delivery_count + 1,  # Quadruples: with few redeliveries, the last ones have to outlast a short outage.
        initial_seconds=timeouts.REDELIVERY_INITIAL_SECONDS,
        max_seconds=timeouts.REDELIVERY_MAX_SECONDS,
        jitter=0,
    )


def _ordering_key(message: AbstractIncomingMessage) -> object:
    """Return the conversation id, by which events are ordered; None if the body cannot be parsed."""
    try:
        return orjson.loads(message.body)["conversation_id"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None


def _delivery_count(message: AbstractIncomingMessage) -> int:
    count = message.headers.get("x-delivery-count", 0)
    return count if isinstance(count, int) else 0
