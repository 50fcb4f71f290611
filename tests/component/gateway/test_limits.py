"""How much anybody may send, how fast, and how often (attacks A12, A13)."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from component.gateway.harness import Asked, Gateway, World, bearer, token_for

Start = Callable[..., Awaitable[Gateway]]
PATH = "/api/v1/operator/active-chats"
SESSION = "a-session-that-nobody-knows"


async def statuses(gateway: Gateway, path: str, times: int, **options: Any) -> list[int]:
    found = []
    for _ in range(times):
        async with gateway.get(path, **options) as answer:
            found.append(answer.status)
    return found


async def test_flood_from_an_address_is_429_with_a_time_to_wait(behind: World, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_LIMITS_ADDRESS="read=0.5/3")
    headers = bearer(token_for(behind.operator()))
    assert await statuses(gateway, PATH, 3, headers=headers) == [200] * 3
    async with gateway.get(PATH, headers=headers) as answer:
        assert answer.status == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 2
        body = await answer.json()
        assert (body["success"], body["code"]) == (False, "too_many_requests")
        assert body["retry_after"] == int(answer.headers["Retry-After"])
    async with gateway.post("/api/v1/operator/message", json={}, headers=headers) as answer:
        assert answer.status == 200
    assert len(behind.chat.forwarded()) == 4
    assert 'rate_limited_total{rate="read",scope="address"} 1.0' in await gateway.metrics()


async def test_operators_are_counted_apart(behind: World, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_LIMITS_OPERATOR="read=0.1/2")
    for _ in range(2):
        headers = bearer(token_for(behind.operator()))
        assert await statuses(gateway, PATH, 3, headers=headers) == [200, 200, 429]


async def test_sessions_and_sites_are_counted_apart(behind: World, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_LIMITS_SESSION="read=0.1/2", PARLEY_LIMITS_SITE="read=0.1/3")
    key, _ = behind.site()
    other, _ = behind.site()
    path = f"/api/v1/chat/history?site_key={key}&session_id={SESSION}"
    assert await statuses(gateway, path, 3) == [200, 200, 429]
    assert await statuses(gateway, path + "2", 2) == [200, 429]
    assert await statuses(gateway, f"/api/v1/chat/history?site_key={other}&session_id={SESSION}", 1) == [200]


async def test_guessing_passwords_is_slowed_down(behind: World, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_LIMITS_ADDRESS="login=0.1/2")
    found = []
    for _ in range(4):
        async with gateway.post("/api/v1/auth/login", json={"email": "a@b.example", "password": "x"}) as answer:
            found.append(answer.status)
    assert found == [401, 401, 429, 429]
    assert len(behind.chat.errands("login")) == 2


async def test_forwarded_addresses_are_believed_from_trusted_proxies_only(behind: World, start_gateway: Start) -> None:
    headers = bearer(token_for(behind.operator()))
    trusting = await start_gateway(PARLEY_LIMITS_ADDRESS="read=0.1/1", PARLEY_TRUSTED_PROXIES="127.0.0.0/8, 10.0.0.0/8")
    plain = await start_gateway(PARLEY_LIMITS_ADDRESS="read=0.1/1")

    async def ask(gateway: Gateway, forwarded: str) -> int:
        async with gateway.get(PATH, headers=headers | {"X-Forwarded-For": forwarded}) as answer:
            status: int = answer.status
            return status

    assert [await ask(trusting, address) for address in ("203.0.113.1", "203.0.113.2")] == [200, 200]
    assert behind.chat.forwarded()[-1].caller.address == "203.0.113.2"
    assert await ask(trusting, "203.0.113.1, 10.1.2.3") == 429
    assert await ask(trusting, "198.51.100.9, 203.0.113.1") == 429
    assert await ask(trusting, "203.0.113.1, not-an-address, 203.0.113.2") == 429
    behind.chat.asked.clear()
    assert [await ask(plain, address) for address in ("203.0.113.1", "203.0.113.2")] == [200, 429]
    assert behind.chat.forwarded()[-1].caller.address == "127.0.0.1"


async def test_streams_of_one_address_have_a_bound_and_are_given_back(behind: World, start_gateway: Start) -> None:
    gateway = await start_gateway(PARLEY_STREAMS_PER_ADDRESS="2")
    headers = bearer(token_for(behind.operator()))

    async def stream(request: web.Request, _asked: Asked) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": hello\n\n")
        await asyncio.sleep(60)
        return response

    behind.notify.answers["GET", "/api/v1/operator/stream"] = stream
    behind.notify.answers["GET", "/api/v1/chat/events"] = stream
    key, _ = behind.site()
    first = await gateway.get("/api/v1/operator/stream", headers=headers)
    second = await gateway.get(f"/api/v1/chat/events?site_key={key}&session_id={SESSION}")
    assert (first.status, second.status) == (200, 200)
    async with gateway.get("/api/v1/operator/stream", headers=headers) as answer:
        assert answer.status == 429
        assert answer.headers["Retry-After"]
    first.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        async with gateway.get("/api/v1/operator/stream", headers=headers) as answer:
            if answer.status == 200:
                break
    else:
        raise AssertionError("the place was not given back")
    second.close()


@pytest.mark.parametrize("chunked", [False, True])
async def test_json_over_64_kb_is_413(gateway: Gateway, behind: World, chunked: bool) -> None:
    key, _ = behind.site()
    headers = bearer(token_for(behind.operator()))

    async def body(size: int) -> Any:
        start = f'{{"site_key":"{key}","session_id":"{SESSION}","content":"'.encode()
        yield start + b"x" * (size - len(start) - 2)
        yield b'"}'

    async def send(path: str, size: int) -> int:
        raw = b"".join([part async for part in body(size)])
        data: Any = body(size) if chunked else raw
        kind = {"Content-Type": "application/json"}
        async with gateway.post(path, data=data, headers=headers | kind) as answer:
            assert answer.status == 200 or (await answer.json())["code"] == "too_large"
            status: int = answer.status
            return status

    for path in ("/api/v1/operator/message", "/api/v1/chat/typing"):
        assert await send(path, 64 * 1024) == 200
        assert await send(path, 64 * 1024 + 1) == 413
    assert [len(asked.body) for asked in behind.chat.forwarded()] == [64 * 1024] * 2


async def raw(gateway: Gateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))


def head(operator: str, path: str, *lines: str) -> bytes:
    text = "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {operator}", *lines])
    return f"{text}\r\n\r\n".encode()


async def test_what_says_it_is_too_large_is_refused_before_it_is_read(gateway: Gateway, behind: World) -> None:
    token = token_for(behind.operator())
    for path, size, kind in (
        ("/api/v1/operator/message", 10**9, "application/json"),
        ("/api/v1/operator/upload-image", 11 * 1024 * 1024, "multipart/form-data; boundary=x"),
    ):
        reader, writer = await raw(gateway)
        writer.write(head(token, path, f"Content-Length: {size}", f"Content-Type: {kind}"))
        async with asyncio.timeout(3):
            answer = await reader.readuntil(b"\r\n\r\n")
        assert b" 413 " in answer.split(b"\r\n")[0]
        assert b"connection: close" in answer.lower()
        writer.close()
    assert behind.chat.forwarded() == []


async def test_upload_that_grows_too_large_is_cut_off(gateway: Gateway, behind: World) -> None:
    taken = 0

    async def take(request: web.Request, _asked: Asked) -> web.StreamResponse:
        nonlocal taken
        async for part in request.content.iter_any():
            taken += len(part)
        return web.json_response({})

    behind.chat.answers["POST", "/api/v1/operator/upload-image"] = take

    async def endless() -> Any:
        for _ in range(12 * 16):
            yield b"x" * 65_536

    headers = bearer(token_for(behind.operator())) | {"Content-Type": "multipart/form-data; boundary=x"}
    async with gateway.post("/api/v1/operator/upload-image", data=endless(), headers=headers) as answer:
        assert answer.status == 413
    assert taken <= 10 * 1024 * 1024 + 64 * 1024


async def test_services_refusal_of_an_upload_comes_back_before_its_end(gateway: Gateway, behind: World) -> None:
    async def refuse(_request: web.Request, _asked: Asked) -> web.StreamResponse:
        return web.json_response({"success": False, "code": "unsupported_media_type"}, status=415)

    behind.chat.answers["POST", "/api/v1/operator/upload-image"] = refuse
    reader, writer = await raw(gateway)
    token = token_for(behind.operator())
    lines = ("Content-Length: 5000000", "Content-Type: multipart/form-data; boundary=x")
    writer.write(head(token, "/api/v1/operator/upload-image", *lines) + b"x" * 100_000)
    async with asyncio.timeout(5):
        writer.write(b"x" * 1000)
        answer = await reader.readuntil(b"\r\n")
    assert b" 415 " in answer
    writer.close()


async def test_compressed_bodies_are_refused(gateway: Gateway, behind: World) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    key, _ = behind.site()
    headers = bearer(token_for(behind.operator())) | {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    for path in ("/api/v1/operator/message", f"/api/v1/chat/typing?site_key={key}", "/api/v1/auth/login"):
        async with gateway.post(path, data=bomb, headers=headers) as answer:
            assert answer.status == 415
    assert behind.chat.forwarded() == []


async def test_body_that_does_not_come_is_408_and_closed(gateway: Gateway, behind: World) -> None:
    reader, writer = await raw(gateway)
    token = token_for(behind.operator())
    started = time.monotonic()
    writer.write(
        head(token, "/api/v1/operator/message", "Content-Length: 100", "Content-Type: application/json") + b"{"
    )
    async with asyncio.timeout(15):
        answer = await reader.readuntil(b"\r\n\r\n")
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert b"connection: close" in answer.lower()
    assert time.monotonic() - started < 11.5
    writer.close()
    assert behind.chat.forwarded() == []


async def test_connection_without_a_whole_head_is_closed_within_10_seconds(gateway: Gateway) -> None:
    async def silent() -> None:
        reader, writer = await raw(gateway)
        assert await reader.read() == b""
        writer.close()

    async def dripping() -> None:
        reader, writer = await raw(gateway)
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n")
        ended = asyncio.ensure_future(reader.read())
        while not ended.done():
            writer.write(b"X-Drip: 1\r\n")
            await asyncio.wait({ended}, timeout=0.5)
        writer.close()

    async def dripping_later() -> None:
        reader, writer = await raw(gateway)
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 404 " in await reader.readuntil(b"}")
        writer.write(b"GET /nothing HTTP/1.1\r\n")
        assert await reader.read() == b""
        writer.close()

    started = time.monotonic()
    async with asyncio.timeout(12):
        await asyncio.gather(silent(), dripping(), dripping_later(), return_exceptions=False)
    assert time.monotonic() - started > 8


async def test_kept_connection_may_rest_between_requests(gateway: Gateway) -> None:
    reader, writer = await raw(gateway)
    for pause in (0, 10.5, 0):
        await asyncio.sleep(pause)
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 404 " in await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(b"}")
    writer.close()


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
async def test_what_is_no_request_is_told_so_in_the_envelope(gateway: Gateway, request_bytes: bytes) -> None:
    reader, writer = await raw(gateway)
    writer.write(request_bytes)
    async with asyncio.timeout(3):
        answer = await reader.read()
    assert b" 400 " in answer.split(b"\r\n")[0]
    assert b'"success":false' in answer
    assert b"secret-in-a-header" not in answer
    writer.close()
