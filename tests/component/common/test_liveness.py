"""The liveness probe of a process whose event loop is blocked gets no answer in time."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest

from parley_dev.ports import free_ports
from support.wait import wait_until

SERVICE = """
import asyncio, time
from aiohttp import web
from parley.common.runtime.service import Service
from parley.common.runtime.settings import ServiceSettings

async def block(request):
    time.sleep(60)

app = web.Application()
app.router.add_get("/block", block)
asyncio.run(Service("blocked", ServiceSettings()).run(app))
"""


@pytest.fixture
async def ports() -> AsyncIterator[tuple[int, int]]:
    public, internal = free_ports(2)
    environment = {
        **os.environ,
        "PARLEY_ENV": "development",
        "PARLEY_HOST": "127.0.0.1",
        "PARLEY_PORT": str(public),
        "PARLEY_INTERNAL_PORT": str(internal),
        "PARLEY_IDENTITY_SECRET": "5f0b7f0e9c1d4a7b8e2f6a3c9d0e1f2a",
        "AMQP_URL": "amqp://unused",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVICE, env=environment)
    yield public, internal
    process.kill()
    await process.wait()


async def test_a_blocked_event_loop_fails_the_liveness_probe(ports: tuple[int, int]) -> None:
    public, internal = ports
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as client:

        async def get_status(port: int, path: str) -> int | None:
            try:
                async with client.get(f"http://127.0.0.1:{port}{path}") as response:
                    return response.status
            except (aiohttp.ClientError, TimeoutError):
                return None

        async def is_live() -> bool:
            return await get_status(internal, "/livez") == 200

        await wait_until(is_live)
        await wait_until(lambda: get_status(public, "/nothing"))
        assert await get_status(public, "/block") is None
        assert not await is_live()
