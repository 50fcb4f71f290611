"""The connection to RabbitMQ while it stops."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from aio_pika.abc import AbstractConnection

from parley.common.messaging import BrokerConnection
from parley.common.messaging.broker import ChannelSession
from support.wait import wait_until


class _FailingCleanup:
    """A session whose cleanup fails, as closing a channel on a dying connection does."""

    name = "failing-cleanup"
    running = False

    async def run(self, connection: AbstractConnection) -> None:
        self.running = True
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("the cleanup failed")


class _LostCancellation:
    """A session that continues after a cancellation, as a loop around a pymongo call does when that loses it."""

    name = "lost-cancellation"
    running = False

    async def run(self, connection: AbstractConnection) -> None:
        self.running = True
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()


@pytest.mark.parametrize("session", [_FailingCleanup(), _LostCancellation()], ids=lambda session: session.name)
async def test_session_that_ends_badly_does_not_block_stopping(amqp_url: str, session: ChannelSession) -> None:
    broker = BrokerConnection(amqp_url)
    broker.add(session)
    await broker.start()
    await wait_until(lambda: broker.unready_reason() is None, description="the broker connection is ready")
    stopping = asyncio.create_task(broker.stop())
    done, _ = await asyncio.wait({stopping}, timeout=10)
    assert done
