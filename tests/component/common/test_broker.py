"""The connection to RabbitMQ while it stops, and while the broker takes no events."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from pathlib import Path
from typing import Any

import pytest
from aio_pika.abc import AbstractConnection

from parley.common.errors import Unavailable
from parley.common.events import Event, new_event
from parley.common.events.conversations import VisitorErased
from parley.common.messaging import BrokerConnection, Consumer
from parley.common.messaging.broker import ChannelSession
from parley_dev.servers import RabbitServer
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


class _FailingGroup:
    """A session whose first run fails in a TaskGroup, which leaves a cancellation in the task that ran it."""

    name = "failing-group"
    running = False

    def __init__(self) -> None:
        self.runs = 0

    async def run(self, connection: AbstractConnection) -> None:
        self.runs += 1
        if self.runs == 1:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._fail())
        self.running = True
        await asyncio.Event().wait()

    async def _fail(self) -> None:
        raise RuntimeError("the queue has no leader yet")


async def test_session_that_fails_in_a_group_starts_again(amqp_url: str) -> None:
    broker, session = BrokerConnection(amqp_url), _FailingGroup()
    broker.add(session)
    await broker.start()
    try:
        await wait_until(lambda: session.running, description="the session runs again")
        assert session.runs == 2
    finally:
        await broker.stop()


@pytest.mark.parametrize("session", [_FailingCleanup(), _LostCancellation()], ids=lambda session: session.name)
async def test_session_that_ends_badly_does_not_block_stopping(amqp_url: str, session: ChannelSession) -> None:
    broker = BrokerConnection(amqp_url)
    broker.add(session)
    await broker.start()
    await wait_until(lambda: broker.unready_reason() is None, description="the broker connection is ready")
    stopping = asyncio.create_task(broker.stop())
    done, _ = await asyncio.wait({stopping}, timeout=10)
    assert done


@pytest.mark.parametrize("error", [KeyError("field"), RuntimeError("unavailable")], ids=repr)
async def test_event_is_delivered_again_whatever_its_handler_raised(amqp_url: str, error: Exception) -> None:
    handled: list[str] = []

    async def fail_once(event: Event) -> None:
        handled.append(event.id)
        if len(handled) == 1:
            raise error

    broker = BrokerConnection(amqp_url)
    broker.add(Consumer("tests", f"again{secrets.token_hex(4)}", {"visitor.erased": fail_once}))
    await broker.start()
    try:
        await wait_until(lambda: broker.unready_reason() is None, description="the broker connection is ready")
        event = _event("failed once")
        await broker.publish([event])
        await wait_until(lambda: len(handled) > 1, description="the event is delivered again")
        assert handled == [event["id"]] * 2
    finally:
        await broker.stop()


async def test_a_broker_that_is_short_of_memory_is_noticed_and_gets_the_events_afterwards(tmp_path: Path) -> None:
    """T19: events wait where they are stored, not in memory; consumers go on, and stopping does not hang."""
    server = RabbitServer(tmp_path / "rabbitmq")
    await server.start()
    broker = BrokerConnection(server.uri)
    received: list[str] = []

    async def receive(event: Event) -> None:
        received.append(event.data["session_id"])

    broker.add(Consumer("test", "alarm", {"visitor.erased": receive}))
    await broker.start()
    try:
        await wait_until(lambda: broker.unready_reason() is None)
        await broker.publish([_event("before")])
        await server.control("rabbitmqctl", "set_vm_memory_high_watermark", "absolute", "1")
        with pytest.raises(Unavailable):
            await broker.publish([_event("in flight")])
        await wait_until(lambda: "short of memory" in (broker.unready_reason() or ""), timeout=5)
        started = time.monotonic()
        for _ in range(1000):
            with pytest.raises(Unavailable):
                await broker.publish([_event("while blocked")])
        assert time.monotonic() - started < 1, "nothing is sent that could pile up"

        await server.control("rabbitmqctl", "set_vm_memory_high_watermark", "absolute", "1GB")
        await wait_until(lambda: broker.unready_reason() is None, timeout=5)
        await broker.publish([_event("after")])
        await wait_until(lambda: "after" in received)
        assert received == ["before", "in flight", "after"]

        await server.control("rabbitmqctl", "set_vm_memory_high_watermark", "absolute", "1")
        with pytest.raises(Unavailable):
            await broker.publish([_event("in flight")])
    finally:
        started = time.monotonic()
        await broker.stop()
        stopped = time.monotonic() - started
        await server.kill()
    assert stopped < 6


def _event(name: str) -> dict[str, Any]:
    return new_event(VisitorErased(session_id=name), tenant_id=1, site_id=1).to_document()
