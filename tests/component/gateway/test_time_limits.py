"""Clients and services that are slow: each is given 10 or 20 seconds, and all are waited for at the same time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from component.gateway.harness import (
    FakeBackend,
    Gateway,
    RecordedRequest,
    bearer,
    build_request,
    connect,
    open_connection,
    respond_with,
    running_backend,
    running_gateway,
    token_for,
)
from support.infrastructure import Infrastructure
from support.service_process import StartService
from support.wait import wait_until

LIST = "/api/v1/operator/active-chats"
STREAM = "/api/v1/operator/stream"
UPLOAD = "/uploads/" + "0" * 32 + ".png"


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


@dataclass(frozen=True, slots=True)
class OwnGateway:
    """Runs a gateway with settings, and services of its own behind it."""

    start_service: StartService
    amqp_url: str
    directory: Path

    @contextlib.asynccontextmanager
    async def run(self, **env: str) -> AsyncIterator[Gateway]:
        log = self.directory / "gateway.log"
        async with (
            running_backend() as backend,
            running_gateway(self.start_service, backend, self.amqp_url, log, wait_ready=True, **env) as gateway,
        ):
            yield gateway


def read_to_end(client: socket.socket) -> None:
    while client.recv(2**20):
        pass


def stream_without_end(backend: FakeBackend) -> asyncio.Event:
    """Have the event stream send without a pause. Returns what is set when the stream has ended at the service."""
    ended = asyncio.Event()

    async def respond(request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            while True:
                await response.write(b"data: " + b"x" * 60_000 + b"\n\n")
        finally:
            ended.set()

    backend.notify.handlers["GET", STREAM] = respond
    return ended


async def clients_that_do_not_read_are_disconnected(own: OwnGateway) -> None:
    (own.directory / "panel").mkdir()
    (own.directory / "panel" / "index.html").write_bytes(b"x" * 8_000_000)
    async with own.run(PARLEY_WEB_DIR=str(own.directory)) as gateway:
        await _do_not_read(gateway, gateway.backend)


async def _do_not_read(gateway: Gateway, backend: FakeBackend) -> None:
    await respond_with(backend, UPLOAD, 4_000_000)
    await respond_with(backend, LIST, 250_000)
    stream_ended = stream_without_end(backend)
    authorization = f"Authorization: Bearer {token_for(backend.add_operator())}"
    clients = [connect(gateway) for _ in range(6)]
    clients[0].sendall(build_request(UPLOAD))
    clients[1].sendall(build_request(LIST, authorization) * 10)
    clients[2].sendall(build_request("/panel"))
    clients[3].sendall(build_request(LIST, authorization, "Connection: close"))
    clients[4].sendall(build_request(STREAM, authorization))
    slow = clients[5]
    slow.sendall(build_request(UPLOAD))
    slow.setblocking(False)

    async def are_disconnected() -> bool:
        with contextlib.suppress(BlockingIOError):
            slow.recv(16_384)
        return "parley_gateway_slow_clients_total 5.0" in await gateway.metrics()

    await wait_until(are_disconnected, timeout=35)
    async with asyncio.timeout(5):
        await stream_ended.wait()
    for client in clients[:5]:
        with pytest.raises(ConnectionResetError):
            read_to_end(client)
        client.close()
    slow.setblocking(True)
    received = 0
    while part := await asyncio.to_thread(slow.recv, 2**20):
        received += len(part)
        if received > 1_000_000:
            break
    assert received > 1_000_000, "who reads slowly gets the response"
    slow.close()


SCENARIOS: tuple[Callable[[Gateway, FakeBackend], Coroutine[None, None, None]], ...] = (
    body_that_does_not_arrive_is_408_and_closes_the_connection,
    connection_without_a_complete_head_is_closed_within_10_seconds,
    kept_connection_may_be_idle_between_requests,
    stream_that_does_not_start_is_504,
)


OWN_GATEWAY_SCENARIOS = (clients_that_do_not_read_are_disconnected,)
"""They change settings, or need responses that no other scenario gets."""


@pytest.fixture(scope="module")
def outcomes() -> dict[str, asyncio.Task[None]]:
    """The scenarios, which the first test starts."""
    return {}


@pytest.fixture
def own_gateway(infrastructure: Infrastructure, amqp_url: str, tmp_path_factory: pytest.TempPathFactory) -> OwnGateway:
    return OwnGateway(infrastructure.start_service, amqp_url, tmp_path_factory.mktemp("own-gateway"))


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in (*SCENARIOS, *OWN_GATEWAY_SCENARIOS)])
async def test_slow(
    gateway: Gateway,
    backend: FakeBackend,
    own_gateway: OwnGateway,
    outcomes: dict[str, asyncio.Task[None]],
    scenario: str,
) -> None:
    if not outcomes:
        outcomes.update({start.__name__: asyncio.create_task(start(gateway, backend)) for start in SCENARIOS})
        outcomes.update({start.__name__: asyncio.create_task(start(own_gateway)) for start in OWN_GATEWAY_SCENARIOS})
    await outcomes[scenario]
