"""Connecting to a broker that refuses."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from parley.common.messaging import BrokerConnection
from support.wait import wait_until


async def test_failed_attempts_leave_nothing_that_closes_itself_later() -> None:
    """What does would fail where no event loop runs, as in a test of something else."""
    attempts, started = 0, list[str]()

    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        writer.close()

    def start_task(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        started.append(coroutine.__qualname__)
        return asyncio.Task(coroutine, loop=loop, **options)

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    broker = BrokerConnection(f"amqp://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    loop = asyncio.get_running_loop()
    loop.set_task_factory(start_task)
    try:
        await broker.start()
        await wait_until(lambda: attempts >= 3)
        await broker.stop()
        gc.collect()
        await asyncio.sleep(0)
    finally:
        loop.set_task_factory(None)
        server.close()
    assert "Connection.close" not in started
