"""Limits on rate, size and duration of requests (guarantees A12, A13)."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from component.gateway.harness import FakeBackend, Gateway, RecordedRequest, bearer, open_connection, token_for
from support.wait import wait_until

Start = Callable[..., Awaitable[Gateway]]
PATH = "/api/v1/operator/active-chats"
SESSION = "a-session-of-a-visitor"


async def get_statuses(gateway: Gateway, path: str, times: int, **options: Any) -> list[int]:
    statuses = []
    for _ in range(times):
        async with gateway.get(path, **options) as response:
            statuses.append(response.status)
    return statuses


async def test_address_over_its_limit_gets_429_with_retry_after(backend: FakeBackend, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_LIMITS_ADDRESS="read=0.5/3")
    headers = bearer(token_for(backend.add_operator()))
    assert await get_statuses(gateway, PATH, 3, headers=headers) == [200] * 3
    async with gateway.get(PATH, headers=headers) as response:
        assert response.status == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 2
        body = await response.json()
        assert (body["success"], body["code"]) == (False, "too_many_requests")
        assert body["retry_after"] == int(response.headers["Retry-After"])
    async with gateway.post("/api/v1/operator/message", json={}, headers=headers) as response:
        assert response.status == 200
    assert len(backend.chat.proxied_requests()) == 4
    assert 'rate_limited_total{rate="read",scope="address"} 1.0' in await gateway.metrics()


async def test_operators_have_separate_limits(backend: FakeBackend, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_LIMITS_OPERATOR="read=0.1/2")
    for _ in range(2):
        headers = bearer(token_for(backend.add_operator()))
        assert await get_statuses(gateway, PATH, 3, headers=headers) == [200, 200, 429]


async def test_sessions_and_sites_have_separate_limits(backend: FakeBackend, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_LIMITS_SESSION="read=0.1/2", PARLEY_LIMITS_SITE="read=0.1/3")
    key, _ = backend.add_site()
    other, _ = backend.add_site()
    path = f"/api/v1/chat/history?site_key={key}&session_id={SESSION}"
    assert await get_statuses(gateway, path, 3) == [200, 200, 429]
    assert await get_statuses(gateway, path + "2", 2) == [200, 429]
    assert await get_statuses(gateway, f"/api/v1/chat/history?site_key={other}&session_id={SESSION}", 1) == [200]


async def test_an_address_begins_a_limited_number_of_sessions(backend: FakeBackend, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_LIMITS_ADDRESS="session=0.1/2", PARLEY_TRUSTED_PROXIES="127.0.0.0/8")
    key, _ = backend.add_site()

    async def get_status(session: int, address: str = "203.0.113.7") -> int:
        url = f"/api/v1/chat/history?site_key={key}&session_id={SESSION}-{session}"
        async with gateway.get(url, headers={"X-Forwarded-For": address}) as response:
            status: int = response.status
            return status

    assert [await get_status(session) for session in (1, 2, 3)] == [200, 200, 429]
    assert [await get_status(session) for session in (1, 2, 1, 2)] == [200] * 4  # Those that are known go on.
    assert await get_status(3, "203.0.113.8") == 200
    assert await get_status(3) == 200  # Known since it came from elsewhere.
    async with gateway.get(f"/api/v1/chat/history?site_key=unknown&session_id={SESSION}-4") as response:
        assert response.status == 404  # Counts for nobody.
    assert 'rate_limited_total{rate="session",scope="address"} 1.0' in await gateway.metrics()


async def test_login_attempts_are_limited(backend: FakeBackend, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_LIMITS_ADDRESS="login=0.1/2")
    statuses = []
    for _ in range(4):
        async with gateway.post("/api/v1/auth/login", json={"email": "a@b.example", "password": "x"}) as response:
            statuses.append(response.status)
    assert statuses == [401, 401, 429, 429]
    assert len(backend.chat.internal_requests("login")) == 2


async def test_forwarded_addresses_count_only_from_trusted_proxies(backend: FakeBackend, start_gateway: Start) -> None:
    headers = bearer(token_for(backend.add_operator()))
    trusting = await start_gateway(PARLEY_LIMITS_ADDRESS="read=0.1/1", PARLEY_TRUSTED_PROXIES="127.0.0.0/8, 10.0.0.0/8")
    plain = await start_gateway(PARLEY_LIMITS_ADDRESS="read=0.1/1")

    async def get_status(gateway: Gateway, forwarded_for: str) -> int:
        async with gateway.get(PATH, headers=headers | {"X-Forwarded-For": forwarded_for}) as response:
            status: int = response.status
            return status

    assert [await get_status(trusting, address) for address in ("203.0.113.1", "203.0.113.2")] == [200, 200]
    assert backend.chat.proxied_requests()[-1].caller.client_ip == "203.0.113.2"
    assert await get_status(trusting, "203.0.113.1, 10.1.2.3") == 429
    assert await get_status(trusting, "198.51.100.9, 203.0.113.1") == 429
    assert await get_status(trusting, "203.0.113.1, not-an-address, 203.0.113.2") == 429
    backend.chat.requests.clear()
    assert [await get_status(plain, address) for address in ("203.0.113.1", "203.0.113.2")] == [200, 429]
    assert backend.chat.proxied_requests()[-1].caller.client_ip == "127.0.0.1"


async def test_open_streams_of_an_address_are_limited_and_released(backend: FakeBackend, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_STREAMS_PER_ADDRESS="2")
    headers = bearer(token_for(backend.add_operator()))

    async def stream(request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": hello\n\n")
        await asyncio.sleep(60)
        return response

    backend.notify.handlers["GET", "/api/v1/operator/stream"] = stream
    backend.notify.handlers["GET", "/api/v1/chat/events"] = stream
    key, _ = backend.add_site()
    first = await gateway.get("/api/v1/operator/stream", headers=headers)
    second = await gateway.get(f"/api/v1/chat/events?site_key={key}&session_id={SESSION}")
    assert (first.status, second.status) == (200, 200)
    async with gateway.get("/api/v1/operator/stream", headers=headers) as response:
        assert response.status == 429
        assert response.headers["Retry-After"]
    first.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        async with gateway.get("/api/v1/operator/stream", headers=headers) as response:
            if response.status == 200:
                break
    else:
        raise AssertionError("the slot was not released")
    second.close()


@pytest.mark.parametrize("chunked", [False, True])
async def test_json_over_128_kb_is_413(gateway: Gateway, backend: FakeBackend, chunked: bool) -> None:
    key, _ = backend.add_site()
    headers = bearer(token_for(backend.add_operator()))

    async def body(size: int) -> Any:
        start = f'{{"site_key":"{key}","session_id":"{SESSION}","content":"'.encode()
        yield start + b"x" * (size - len(start) - 2)
        yield b'"}'

    async def send(path: str, size: int) -> int:
        raw = b"".join([part async for part in body(size)])
        data: Any = body(size) if chunked else raw
        content_type = {"Content-Type": "application/json"}
        async with gateway.post(path, data=data, headers=headers | content_type) as response:
            assert response.status == 200 or (await response.json())["code"] == "too_large"
            status: int = response.status
            return status

    for path in ("/api/v1/operator/message", "/api/v1/chat/typing"):
        assert await send(path, 128 * 1024) == 200
        assert await send(path, 128 * 1024 + 1) == 413
    assert [len(recorded.body) for recorded in backend.chat.proxied_requests()] == [128 * 1024] * 2


def build_head(operator: str, path: str, *lines: str) -> bytes:
    text = "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {operator}", *lines])
    return f"{text}\r\n\r\n".encode()


async def test_too_large_content_length_is_rejected_before_the_body_is_read(
    gateway: Gateway, backend: FakeBackend
) -> None:
    token = token_for(backend.add_operator())
    for path, size, media_type in (
        ("/api/v1/operator/message", 10**9, "application/json"),
        ("/api/v1/operator/upload-image", 11 * 1024 * 1024, "multipart/form-data; boundary=x"),
    ):
        reader, writer = await open_connection(gateway)
        writer.write(build_head(token, path, f"Content-Length: {size}", f"Content-Type: {media_type}"))
        async with asyncio.timeout(10):
            response = await reader.readuntil(b"\r\n\r\n")
        assert b" 413 " in response.split(b"\r\n")[0]
        assert b"connection: close" in response.lower()
        writer.close()
    assert backend.chat.proxied_requests() == []


async def test_upload_that_exceeds_the_limit_is_rejected(gateway: Gateway, backend: FakeBackend) -> None:
    received_bytes = 0

    async def read_body(request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        nonlocal received_bytes
        async for part in request.content.iter_any():
            received_bytes += len(part)
        return web.json_response({})

    backend.chat.handlers["POST", "/api/v1/operator/upload-image"] = read_body

    async def generate_body() -> Any:
        for _ in range(12 * 16):
            yield b"x" * 65_536

    headers = bearer(token_for(backend.add_operator())) | {"Content-Type": "multipart/form-data; boundary=x"}
    async with gateway.post("/api/v1/operator/upload-image", data=generate_body(), headers=headers) as response:
        assert response.status == 413
    assert received_bytes <= 10 * 1024 * 1024 + 64 * 1024


async def test_rejection_of_an_upload_is_forwarded_before_its_end(gateway: Gateway, backend: FakeBackend) -> None:
    async def reject(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        return web.json_response({"success": False, "code": "unsupported_media_type"}, status=415)

    backend.chat.handlers["POST", "/api/v1/operator/upload-image"] = reject
    reader, writer = await open_connection(gateway)
    token = token_for(backend.add_operator())
    lines = ("Content-Length: 5000000", "Content-Type: multipart/form-data; boundary=x")
    writer.write(build_head(token, "/api/v1/operator/upload-image", *lines) + b"x" * 100_000)
    async with asyncio.timeout(5):
        writer.write(b"x" * 1000)
        response = await reader.readuntil(b"\r\n")
    assert b" 415 " in response
    writer.close()


async def test_compressed_bodies_are_rejected(gateway: Gateway, backend: FakeBackend) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    key, _ = backend.add_site()
    headers = bearer(token_for(backend.add_operator())) | {
        "Content-Encoding": "gzip",
        "Content-Type": "application/json",
    }
    for path in ("/api/v1/operator/message", f"/api/v1/chat/typing?site_key={key}", "/api/v1/auth/login"):
        async with gateway.post(path, data=bomb, headers=headers) as response:
            assert response.status == 415
    assert backend.chat.proxied_requests() == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: secret-in-a-header\r\n\r\n",
        b"NOT HTTP AT ALL\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    ],
)
async def test_malformed_request_gets_the_error_envelope(gateway: Gateway, request_bytes: bytes) -> None:
    reader, writer = await open_connection(gateway)
    writer.write(request_bytes)
    async with asyncio.timeout(10):
        response = await reader.read()
    assert b" 400 " in response.split(b"\r\n")[0]
    assert b'"success":false' in response
    assert b"secret-in-a-header" not in response
    writer.close()


async def wait_for_usages(gateway: Gateway, count: int) -> None:
    """Wait until the gateway has received this many reports of others."""

    async def has_received() -> bool:
        return f"parley_gateway_usages_heard_total {count}.0" in await gateway.metrics()

    await wait_until(has_received, description=f"{count} reports")


async def test_two_gateways_count_together(backend: FakeBackend, start_gateway: Start) -> None:
    """A12: a client gets no more through two gateways than through one, and as much through one of them."""
    limits = {"PARLEY_LIMITS_ADDRESS": "off", "PARLEY_LIMITS_OPERATOR": "read=0.01/48"}
    gateways = [await start_gateway(**limits), await start_gateway(**limits)]
    other_limits = await start_gateway(PARLEY_LIMITS_ADDRESS="off", PARLEY_LIMITS_OPERATOR="read=0.01/47")
    both, alone = (bearer(token_for(backend.add_operator())) for _ in range(2))

    accepted = [0, 0]
    for _ in range(20):
        answers = await asyncio.gather(*(get_statuses(gateway, PATH, 2, headers=both) for gateway in gateways))
        accepted = [before + answer.count(200) for before, answer in zip(accepted, answers, strict=True)]
        for gateway, by_other in zip(gateways, reversed(accepted), strict=True):
            # A gateway reports three requests at a time.
            await wait_for_usages(gateway, by_other // 3)
    # Each gateway may take two more in place of those that the other has not reported, and two until it is informed.
    assert 48 <= sum(accepted) <= 56
    for gateway in gateways:
        assert await get_statuses(gateway, PATH, 1, headers=both) == [429]
    assert (await get_statuses(gateways[0], PATH, 50, headers=alone)).count(200) == 48
    assert await get_statuses(other_limits, PATH, 1, headers=both) == [200]


async def test_a_session_counts_once_for_all_gateways(backend: FakeBackend, start_gateway: Start) -> None:
    """A12: a new session counts for its address once, and the sessions of all gateways count together."""
    limits = {"PARLEY_LIMITS_ADDRESS": "session=0.01/4", "PARLEY_LIMITS_SESSION": "off", "PARLEY_LIMITS_SITE": "off"}
    one, other = await start_gateway(**limits), await start_gateway(**limits)
    key, _ = backend.add_site()

    async def get_status(gateway: Gateway, session: str) -> int:
        (status,) = await get_statuses(gateway, f"/api/v1/chat/history?site_key={key}&session_id={SESSION}{session}", 1)
        return status

    for number, session in enumerate("ab", start=1):
        assert await get_status(one, session) == 200
        await wait_for_usages(other, number)
        assert await get_status(other, session) == 200, "known already"
    for number, session in enumerate("cd", start=1):
        assert await get_status(other, session) == 200
        await wait_for_usages(one, number)
    assert [await get_status(gateway, "e") for gateway in (one, other)] == [429, 429]
