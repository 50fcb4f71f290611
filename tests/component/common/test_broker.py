"""The connection to RabbitMQ, at its end."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from aio_pika.abc import AbstractConnection

from parley.common.messaging import BrokerConnection
from parley.common.messaging.broker import ChannelSession
from support.wait import wait_until


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


class _MissesItsCancellation:
    """A session that goes on when it is told to end, as a loop around the database does when a cancellation is lost."""

    name = "misses-its-cancellation"
    running = False

    async def run(self, connection: AbstractConnection) -> None:
        self.running = True
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()


@pytest.mark.parametrize("session", [_CleansUpBadly(), _MissesItsCancellation()], ids=lambda session: session.name)
async def test_a_session_that_ends_badly_does_not_keep_the_bus_from_stopping(
    amqp_url: str, session: ChannelSession
) -> None:
    bus = BrokerConnection(amqp_url)
    bus.add(session)
    await bus.start()
    await wait_until(lambda: bus.unready_reason() is None, description="the bus is up")
    stopping = asyncio.create_task(bus.stop())
    done, _ = await asyncio.wait({stopping}, timeout=10)
    assert done
