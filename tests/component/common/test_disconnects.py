"""A request whose client leaves is completed, and its failure is logged in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import BaseModel

from parley.common.auth.identity import IDENTITY_HEADER, GatewayCaller, IdentitySigner
from parley.common.http import CallerType, Route, build_app
from support.wait import wait_until


async def test_a_client_that_leaves_in_the_middle_of_a_stream_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """Visitors close pages at any time: without this, aiohttp logs an error with a traceback for each."""
    ended = asyncio.Event()

    async def stream(context: Any) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(context.request)
        context.request.transport.abort()
        try:
            await response.write(b"the visitor has left")
        finally:
            ended.set()
        return response

    route = Route("GET", "/stream", stream, CallerType.GATEWAY, None, "Streams")
    signer = IdentitySigner(secrets.token_hex(32))
    server = TestServer(build_app([route], signer=signer))
    await server.start_server()
    headers = {IDENTITY_HEADER: signer.sign(GatewayCaller("127.0.0.1"))}
    async with aiohttp.ClientSession() as http, http.get(server.make_url("/stream"), headers=headers) as response:
        with pytest.raises(aiohttp.ClientError):
            await response.read()
    await ended.wait()
    await server.close()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_failure_after_the_client_has_left_is_no_unhandled_error() -> None:
    """A database that hangs makes many clients leave; then each of their requests fails."""
    unhandled: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    reached, opened = asyncio.Event(), asyncio.Event()

    async def wait_and_fail(_context: Any) -> BaseModel:
        reached.set()
        await opened.wait()
        raise OSError("the database is gone")

    route = Route("GET", "/slow", wait_and_fail, CallerType.GATEWAY, BaseModel, "Fails later")
    signer = IdentitySigner(secrets.token_hex(32))
    server = TestServer(build_app([route], signer=signer))
    await server.start_server()
    headers = {IDENTITY_HEADER: signer.sign(GatewayCaller("127.0.0.1"))}
    async with aiohttp.ClientSession() as http:
        request = asyncio.create_task(http.get(server.make_url("/slow"), headers=headers).__aenter__())
        await reached.wait()
        request.cancel()
        await wait_until(lambda: not server.handler.connections, description="the server sees that it has left")
    opened.set()
    await wait_until(lambda: not [task for task in asyncio.all_tasks() if "_execute" in str(task.get_coro())])
    gc.collect()
    assert not unhandled
    await server.close()
