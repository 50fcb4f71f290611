"""Clients and services that are slow: each is given 10 seconds, and all are waited for at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine

import pytest
from aiohttp import web

from component.gateway.harness import FakeBackend, Gateway, RecordedRequest, bearer, open_connection, token_for

STREAM = "/api/v1/operator/stream"


async def body_that_does_not_arrive_is_408_and_closes_the_connection(gateway: Gateway, backend: FakeBackend) -> None:
    reader, writer = await open_connection(gateway)
    started_at = time.monotonic()
    lines = (
        "POST /api/v1/operator/message HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {token_for(backend.add_operator())}",
        "Content-Length: 100",
        "Content-Type: application/json",
    )
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n{")
    async with asyncio.timeout(25):
        response = await reader.readuntil(b"\r\n\r\n")
    assert b" 408 " in response.split(b"\r\n")[0]
    assert b"connection: close" in response.lower()
    assert time.monotonic() - started_at < 20
    writer.close()
    assert backend.chat.proxied_requests() == []


async def connection_without_a_complete_head_is_closed_within_10_seconds(
    gateway: Gateway, backend: FakeBackend
) -> None:
    async def send_nothing() -> None:
        reader, writer = await open_connection(gateway)
        assert await reader.read() == b""
        writer.close()

    async def send_slowly() -> None:
        reader, writer = await open_connection(gateway)
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n")
        closed = asyncio.ensure_future(reader.read())
        while not closed.done():
            writer.write(b"X-Drip: 1\r\n")
            await asyncio.wait({closed}, timeout=0.5)
        writer.close()

    async def send_second_head_slowly() -> None:
        reader, writer = await open_connection(gateway)
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 404 " in await reader.readuntil(b"}")
        writer.write(b"GET /nothing HTTP/1.1\r\n")
        assert await reader.read() == b""
        writer.close()

    started_at = time.monotonic()
    async with asyncio.timeout(20):
        await asyncio.gather(send_nothing(), send_slowly(), send_second_head_slowly())
    assert time.monotonic() - started_at > 8


async def kept_connection_may_be_idle_between_requests(gateway: Gateway, backend: FakeBackend) -> None:
    reader, writer = await open_connection(gateway)
    for pause in (0, 10.5, 0):
        await asyncio.sleep(pause)
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 404 " in await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(b"}")
    writer.close()


async def stream_that_does_not_start_is_504(gateway: Gateway, backend: FakeBackend) -> None:
    async def never_respond(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    backend.notify.handlers["GET", STREAM] = never_respond
    started_at = time.monotonic()
    async with gateway.get(STREAM, headers=bearer(token_for(backend.add_operator()))) as response:
        assert response.status == 504
        assert (await response.json())["code"] == "late"
    assert 9 < time.monotonic() - started_at < 20


SCENARIOS: tuple[Callable[[Gateway, FakeBackend], Coroutine[None, None, None]], ...] = (
    body_that_does_not_arrive_is_408_and_closes_the_connection,
    connection_without_a_complete_head_is_closed_within_10_seconds,
    kept_connection_may_be_idle_between_requests,
    stream_that_does_not_start_is_504,
)


@pytest.fixture(scope="module")
def outcomes() -> dict[str, asyncio.Task[None]]:
    """The scenarios, which the first test starts."""
    return {}


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
async def test_slow(
    gateway: Gateway, backend: FakeBackend, outcomes: dict[str, asyncio.Task[None]], scenario: str
) -> None:
    if not outcomes:
        outcomes.update({start.__name__: asyncio.create_task(start(gateway, backend)) for start in SCENARIOS})
    await outcomes[scenario]
