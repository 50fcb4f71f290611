"""A process whose public port answers nothing fails its liveness probe; its own requests reach no application."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler

from parley.common.runtime.listener_probe import ListenerProbe
from parley_dev.ports import free_port
from support.wait import wait_until

SECONDS = {"interval_seconds": 0.02, "timeout_seconds": 0.1, "stuck_seconds": 0.5}


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """A port that is open, and whose connections nobody accepts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def test_a_listener_that_answers_is_alive_and_its_application_sees_no_probe() -> None:
    arrived, seen = 0, 0

    @web.middleware
    async def count_arrived(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal arrived
        arrived += 1
        return await handler(request)

    @web.middleware
    async def count_seen(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal seen
        seen += 1
        return await handler(request)

    port = free_port()
    probe = ListenerProbe(**SECONDS)
    app = web.Application(middlewares=[count_arrived, probe.middleware, count_seen])
    server = TestServer(app, port=port)
    await server.start_server()
    await probe.start("0.0.0.0", port)
    # Longer than a silent listener takes to be stuck.
    await wait_until(lambda: arrived >= 1.5 * SECONDS["stuck_seconds"] / SECONDS["interval_seconds"])
    assert probe.stuck_reason() is None
    assert seen == 0
    async with aiohttp.ClientSession() as client, client.get(server.make_url("/")) as response:
        assert response.status == 404
    assert seen == 1
    await probe.stop()
    await server.close()


async def test_a_listener_that_answers_nothing_is_stuck(silent_port: int) -> None:
    probe = ListenerProbe(**SECONDS)
    await probe.start("127.0.0.1", silent_port)
    assert probe.stuck_reason() is None
    reason = await wait_until(probe.stuck_reason, description="the probe reports the listener")
    assert reason.startswith("the public port has not answered for")
    await probe.stop()
