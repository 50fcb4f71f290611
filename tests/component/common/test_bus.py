"""The connection to RabbitMQ, at its end."""

from __future__ import annotations

import asyncio

from aio_pika.abc import AbstractConnection

from parley.common.amqp import Bus
from support.wait import until


class _CleansUpBadly:
    """A session whose cleanup fails, as closing a channel on a dying connection does."""

    name = "cleans-up-badly"
    running = False

    async def run(self, connection: AbstractConnection) -> None:
        self.running = True
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("the cleanup failed")


async def test_a_session_whose_cleanup_fails_does_not_keep_the_bus_from_stopping(amqp_url: str) -> None:
    bus = Bus(amqp_url)
    bus.add(_CleansUpBadly())
    await bus.start()
    await until(lambda: bus.fault() is None, what="the bus is up")
    stopping = asyncio.create_task(bus.stop())
    done, _ = await asyncio.wait({stopping}, timeout=10)
    assert done
