"""What every replica hears for itself, from now on: ephemeral events, and facts that make its caches untrue.

The queue lives and dies with the connection. `missed` is called at each new connection, since what happened in
between was not heard: a cache is then emptied. Types that are `log_alone` are not heard: a LogFollower sees those.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import orjson
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from parley.common.events import Event, UnknownEvent, parse_event
from parley.common.messaging.broker import channel_closed_event


class BroadcastSubscriber:
    """A session with an exclusive queue on one exchange."""

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
        self._keys = routing_keys
        self._take = on_event
        self._missed = on_gap

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel()
        try:
            gone = await channel_closed_event(channel)
            queue = await channel.declare_queue(
                exclusive=True, auto_delete=True, arguments={"x-max-length": 10_000, "x-overflow": "drop-head"}
            )
            for key in self._keys:
                await queue.bind(self._exchange, key)
            await queue.consume(self._heard, no_ack=True)
            self._missed()
            self.running = True
            await gone.wait()
        finally:
            self.running = False
            if not channel.is_closed:
                await channel.close()

    async def _heard(self, message: AbstractIncomingMessage) -> None:
        try:
            event = parse_event(orjson.loads(message.body))
        except (UnknownEvent, orjson.JSONDecodeError):
            return
        await self._take(event)
