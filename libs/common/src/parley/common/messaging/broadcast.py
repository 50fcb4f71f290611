"""A subscription that every replica has for itself: ephemeral events, and events that invalidate its caches.

The queue exists as long as the connection. `on_gap` is called at each new connection, since events in between were
missed: clear caches there. Event types that are `stream_only` are not received here, only from the event log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import orjson
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from parley.common.events import Event, UnknownEvent, parse_event
from parley.common.messaging.broker import channel_closed_event

_MAX_QUEUED = 10_000
"""Messages that wait for this replica; more drop the oldest."""


class BroadcastSubscriber:
    """A channel session with an exclusive queue, bound to one exchange by `routing_keys`."""

    def __init__(
        self,
        name: str,
        exchange: str,
        routing_keys: Sequence[str],
        on_event: Callable[[Event], Awaitable[None]],
        on_gap: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.running = False
        self._exchange = exchange
        self._routing_keys = routing_keys
        self._on_event = on_event
        self._on_gap = on_gap

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel()
        try:
            closed = await channel_closed_event(channel)
            queue = await channel.declare_queue(
                exclusive=True, auto_delete=True, arguments={"x-max-length": _MAX_QUEUED, "x-overflow": "drop-head"}
            )
            for routing_key in self._routing_keys:
                await queue.bind(self._exchange, routing_key)
            await queue.consume(self._on_message, no_ack=True)
            self._on_gap()
            self.running = True
            await closed.wait()
        finally:
            self.running = False
            if not channel.is_closed:
                await channel.close()

    async def _on_message(self, message: AbstractIncomingMessage) -> None:
        try:
            event = parse_event(orjson.loads(message.body))
        except (UnknownEvent, orjson.JSONDecodeError):
            return
        await self._on_event(event)
