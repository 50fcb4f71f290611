"""Connections of clients: too many of one address, large heads, proxies that nobody has named."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable

from aiohttp import web

from component.gateway.harness import (
    FakeBackend,
    Gateway,
    RecordedRequest,
    bearer,
    build_request,
    connect,
    respond_with,
    token_for,
)
from support.wait import wait_until

Start = Callable[..., Awaitable[Gateway]]
LIST = "/api/v1/operator/active-chats"
UPLOAD = "/uploads/" + "0" * 32 + ".png"
SESSION = "a-session-of-a-visitor"


async def test_connections_of_an_address_are_limited(start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_CONNECTIONS_PER_ADDRESS="3")
    await gateway.client.close()
    held = [connect(gateway) for _ in range(3)]
    for client in held:
        client.sendall(build_request("/nothing"))
        assert b" 404 " in client.recv(100)
    one_more = connect(gateway)
    rejection = await asyncio.to_thread(one_more.recv, 4096)
    assert rejection.startswith(b"HTTP/1.1 429 ")
    assert b"Retry-After: 5" in rejection
    assert b'"code":"too_many_requests"' in rejection
    held.pop().close()

    def is_accepted() -> bool:
        with connect(gateway) as client:
            client.sendall(build_request("/nothing"))
            return b" 404 " in client.recv(100)

    async def accepts() -> bool:
        return await asyncio.to_thread(is_accepted)

    await wait_until(accepts, timeout=5)
    for client in (*held, one_more):
        client.close()


async def test_requests_of_a_client_behind_a_trusted_proxy_are_limited(
    backend: FakeBackend, start_gateway: Start
) -> None:
    gateway = await start_gateway(PARLEY_CONNECTIONS_PER_ADDRESS="2", PARLEY_TRUSTED_PROXIES="127.0.0.0/8")
    release = asyncio.Event()

    async def respond_late(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        await release.wait()
        return web.json_response({"success": True})

    backend.chat.handlers["GET", UPLOAD] = respond_late
    headers = {"X-Forwarded-For": "203.0.113.1"}
    held = [asyncio.ensure_future(gateway.get(UPLOAD, headers=headers)) for _ in range(2)]

    async def are_waiting() -> bool:
        return len(backend.chat.proxied_requests()) == 2

    await wait_until(are_waiting, timeout=5)
    async with gateway.get("/nothing", headers=headers) as response:
        assert response.status == 429
        assert response.headers["Retry-After"] == "5"
    async with gateway.get("/nothing", headers={"X-Forwarded-For": "203.0.113.2"}) as response:
        assert response.status == 404
    release.set()
    for request in held:
        assert (await request).status == 200
    async with gateway.get("/nothing", headers=headers) as response:
        assert response.status == 404


async def test_abandoned_large_responses_leave_no_unusable_connection(gateway: Gateway, backend: FakeBackend) -> None:
    await respond_with(backend, UPLOAD, 300_000)
    for _ in range(30):
        client = connect(gateway)
        client.sendall(build_request(UPLOAD))
        await asyncio.sleep(0.01)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
    headers = bearer(token_for(backend.add_operator()))

    async def get_status() -> int:
        async with asyncio.timeout(5), gateway.get(LIST, headers=headers) as response:
            return int(response.status)

    assert await asyncio.gather(*(get_status() for _ in range(30))) == [200] * 30


async def test_head_over_32_kb_is_413(gateway: Gateway) -> None:
    many = {f"X-Field-{number}": "x" * 8000 for number in range(5)}
    async with gateway.get("/nothing", headers=many) as response:
        assert response.status == 413
        assert (await response.json())["code"] == "too_large"


async def test_long_origin_is_rejected_also_where_any_origin_is_allowed(gateway: Gateway, backend: FakeBackend) -> None:
    key, _ = backend.add_site(any_origin=True)
    path = f"/api/v1/chat/config?site_key={key}&session_id={SESSION}"
    for origin, status in (("https://" + "o" * 200, 200), ("https://" + "o" * 300, 403), ("o" * 8000, 403)):
        async with gateway.get(path, headers={"Origin": origin}) as response:
            assert response.status == status


async def test_proxy_that_is_not_trusted_is_logged_once_and_counted(start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_TRUSTED_PROXIES="10.0.0.0/8")
    for _ in range(3):
        async with gateway.get("/nothing", headers={"X-Forwarded-For": "203.0.113.1"}) as response:
            assert response.status == 404
    metrics = await gateway.metrics()
    assert 'parley_gateway_unnamed_proxy_requests_total{network="private"} 3.0' in metrics
    lines = [line for line in gateway.log.read_text().splitlines() if "untrusted_proxy" in line]
    assert len(lines) == 1
    assert "PARLEY_TRUSTED_PROXIES" in lines[0]
    assert "127.0.0.1" in lines[0]
    assert "203.0.113.1" not in lines[0]


async def test_security_headers_are_on_every_response(
    gateway: Gateway, start_gateway: Start, backend: FakeBackend
) -> None:
    headers = bearer(token_for(backend.add_operator()))
    for path in ("/nothing", "/docs", LIST, "/api/v1/openapi.json"):
        async with gateway.get(path, headers=headers | {"X-Forwarded-Proto": "https"}) as response:
            assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert re.search(r"camera=\(\), .*geolocation=\(\)", response.headers["Permissions-Policy"])
            assert "Strict-Transport-Security" not in response.headers, "the peer is not a trusted proxy"
    behind_tls = await start_gateway(PARLEY_TRUSTED_PROXIES="127.0.0.0/8")
    for path in ("/nothing", "/docs", LIST):
        for protocol, hsts in (("https", "max-age=31536000"), ("http", None), (None, None)):
            forwarded = {"X-Forwarded-Proto": protocol} if protocol else {}
            async with behind_tls.get(path, headers=headers | forwarded) as response:
                assert response.headers.get("Strict-Transport-Security") == hsts
