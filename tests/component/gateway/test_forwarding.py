"""The way there and back: streams as they come, failures in the envelope, nothing of the client's making inside."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from component.gateway.harness import Asked, Gateway, World, bearer, free_port, token_for
from support.wait import until

PATH = "/api/v1/operator/active-chats"


@pytest.fixture
def operator(behind: World) -> dict[str, str]:
    """The headers of an operator of the test's own."""
    return bearer(token_for(behind.operator()))


def events(*_: object) -> web.StreamResponse:
    return web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})


async def test_event_stream_is_passed_on_event_by_event(
    gateway: Gateway, behind: World, operator: dict[str, str]
) -> None:
    go_on: asyncio.Queue[bytes] = asyncio.Queue()

    async def stream(request: web.Request, _asked: Asked) -> web.StreamResponse:
        response = events()
        await response.prepare(request)
        while event := await go_on.get():
            await response.write(event)
        return response

    behind.notify.answers["GET", "/api/v1/operator/stream"] = stream
    headers = operator | {"Last-Event-ID": "17"}
    async with gateway.get("/api/v1/operator/stream", headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["X-Request-Id"]
        for number in range(20):
            event = f"id: {number}\ndata: {'x' * number * 50}\n\n".encode()
            await go_on.put(event)
            async with asyncio.timeout(2):
                assert await answer.content.readexactly(len(event)) == event
        await go_on.put(b"")
        assert await answer.content.read() == b""
    (asked,) = behind.notify.forwarded()
    assert asked.headers["Last-Event-ID"] == "17"


async def test_service_learns_at_once_that_the_client_left(
    gateway: Gateway, behind: World, operator: dict[str, str]
) -> None:
    left = asyncio.Event()

    async def stream(request: web.Request, _asked: Asked) -> web.StreamResponse:
        response = events()
        await response.prepare(request)
        await response.write(b": hello\n\n")
        try:
            await asyncio.sleep(60)
        finally:
            left.set()
        return response

    behind.notify.answers["GET", "/api/v1/operator/stream"] = stream
    answer = await gateway.get("/api/v1/operator/stream", headers=operator)
    await answer.content.readany()
    answer.close()
    async with asyncio.timeout(3):
        await left.wait()


async def test_service_learns_that_the_client_left_before_the_answer_began(
    gateway: Gateway, behind: World, operator: dict[str, str]
) -> None:
    began, left = asyncio.Event(), asyncio.Event()

    async def hang(_request: web.Request, _asked: Asked) -> web.StreamResponse:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            left.set()
        return web.Response()

    behind.notify.answers["GET", "/api/v1/operator/stream"] = hang
    asking = asyncio.ensure_future(gateway.get("/api/v1/operator/stream", headers=operator))
    await began.wait()
    asking.cancel()
    async with asyncio.timeout(3):
        await left.wait()

    async def closed() -> bool:
        return "parley_gateway_streams 0.0" in await gateway.metrics()

    await until(closed)


async def test_long_answer_comes_whole(gateway: Gateway, behind: World, operator: dict[str, str]) -> None:
    content = bytes(range(256)) * 20_000

    async def send(_request: web.Request, _asked: Asked) -> web.StreamResponse:
        return web.Response(body=content, content_type="application/json")

    async def send_chunked(request: web.Request, _asked: Asked) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(content), 70_001):
            await response.write(content[start : start + 70_001])
        return response

    for answer_with in (send, send_chunked):
        behind.chat.answers["GET", PATH] = answer_with
        async with gateway.get(PATH, headers=operator) as answer:
            assert await answer.read() == content


async def test_answer_that_breaks_off_is_seen_to_break_off(
    gateway: Gateway, behind: World, operator: dict[str, str]
) -> None:
    async def stream(request: web.Request, _asked: Asked) -> web.StreamResponse:
        response = events()
        await response.prepare(request)
        await response.write(b"data: half of it")
        assert request.transport is not None
        await asyncio.sleep(0.1)
        request.transport.abort()
        return response

    behind.notify.answers["GET", "/api/v1/operator/stream"] = stream
    async with gateway.get("/api/v1/operator/stream", headers=operator) as answer:
        with pytest.raises(aiohttp.ClientError):
            await answer.read()


async def test_status_and_headers_come_back_but_for_those_of_the_hop(
    gateway: Gateway, behind: World, operator: dict[str, str]
) -> None:
    async def send(_request: web.Request, _asked: Asked) -> web.StreamResponse:
        headers = {
            "Retry-After": "7",
            "ETag": '"x"',
            "Idempotent-Replayed": "true",
            "Set-Cookie": "a=b",
            "Server": "inner",
            "X-Parley-Secret": "1",
            "X-Request-Id": "inner",
        }
        return web.json_response({"success": False}, status=429, headers=headers)

    behind.chat.answers["POST", "/api/v1/operator/message"] = send
    async with gateway.post("/api/v1/operator/message", json={"a": 1}, headers=operator) as answer:
        assert answer.status == 429
        assert (answer.headers["Retry-After"], answer.headers["ETag"]) == ("7", '"x"')
        assert answer.headers["Idempotent-Replayed"] == "true"
        assert answer.headers["Server"] == "parley"
        assert answer.headers["X-Request-Id"] != "inner"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert not {"set-cookie", "x-parley-secret"} & {name.lower() for name in answer.headers}


@pytest.mark.parametrize("status", [204, 304])
async def test_answer_without_a_body_keeps_the_connection(
    gateway: Gateway, behind: World, operator: dict[str, str], status: int
) -> None:
    async def nothing(_request: web.Request, _asked: Asked) -> web.StreamResponse:
        return web.Response(status=status)

    behind.chat.answers["GET", PATH] = nothing
    for _ in range(3):
        async with gateway.get(PATH, headers=operator) as answer:
            assert answer.status == status


async def test_body_of_a_request_reaches_the_service_as_it_came(
    gateway: Gateway, behind: World, operator: dict[str, str]
) -> None:
    raw = b'{ "a" : 1.50, "b":"\\u00e9" , "a": 2}'
    headers = operator | {"Content-Type": "application/json"}
    for method in ("POST", "PUT", "PATCH"):
        path = f"{gateway.url}/api/v1/operator/conversation/7/visitor?x=%20y"
        async with gateway.client.request(method, path, data=raw, headers=headers) as answer:
            assert answer.status == 200
    assert [asked.body for asked in behind.chat.forwarded()] == [raw] * 3
    assert {asked.query["x"] for asked in behind.chat.forwarded()} == {" y"}


async def test_nothing_but_the_table_is_reachable(gateway: Gateway, behind: World, operator: dict[str, str]) -> None:
    for path in (
        "/internal/access/1",
        "/internal/openapi",
        "/api/v1/operator/conversation/1%2f..%2f..%2finternal",
        "/api/v1/operator/conversation/../../../internal/site",
        "/api/v1/operator/conversation/x",
        "/api/v1/operator/conversation/-1",
        "/api/v1/operator/conversation/%EF%BC%91",
        "/api/v1//operator/active-chats",
        "/uploads/..%2f..%2fetc%2fpasswd",
        "/uploads/short.png",
        "/metrics",
        "/readyz",
    ):
        async with gateway.client.get(URL(gateway.url + path, encoded=True), headers=operator) as answer:
            assert answer.status == 404, path
            assert (await answer.json())["code"] == "not_found"
    assert behind.chat.forwarded() == []


async def test_wrong_method_is_told_the_right_ones(gateway: Gateway, operator: dict[str, str]) -> None:
    async with gateway.client.delete(
        f"{gateway.url}/api/v1/operator/conversation/1/visitor", headers=operator
    ) as answer:
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(",")) == {"PATCH", "POST", "PUT"}
        body = await answer.json()
        assert (body["success"], body["code"]) == (False, "method_not_allowed")


async def test_connections_to_a_service_are_used_again(
    gateway: Gateway, behind: World, operator: dict[str, str]
) -> None:
    peers = set()

    async def note(request: web.Request, _asked: Asked) -> web.StreamResponse:
        peers.add(request.transport.get_extra_info("peername"))  # type: ignore[union-attr]
        return web.json_response({})

    behind.chat.answers["GET", PATH] = note
    for _ in range(20):
        async with gateway.get(PATH, headers=operator) as answer:
            assert answer.status == 200
    assert len(peers) == 1


async def test_service_that_is_away_is_503_and_back_when_it_is(
    gateway: Gateway, behind: World, operator: dict[str, str]
) -> None:
    presence = behind.services["presence"]
    await presence.stop()
    try:
        async with gateway.get("/api/v1/operator/status", headers=operator) as answer:
            assert answer.status == 503
            body = await answer.json()
            assert (body["success"], body["code"]) == (False, "unavailable")
            assert body["request_id"] == answer.headers["X-Request-Id"]
    finally:
        await presence.start()
    async with gateway.get("/api/v1/operator/status", headers=operator) as answer:
        assert answer.status == 200


async def test_chat_away_is_503_for_who_is_not_known_yet_and_not_401(gateway: Gateway, behind: World) -> None:
    known, unknown = bearer(token_for(behind.operator())), bearer(token_for(behind.operator()))
    async with gateway.get("/api/v1/operator/status", headers=known) as answer:
        assert answer.status == 200
    await behind.chat.stop()
    try:
        async with gateway.get("/api/v1/operator/status", headers=known) as answer:
            assert answer.status == 200
        async with gateway.get("/api/v1/operator/status", headers=unknown) as answer:
            assert answer.status == 503
    finally:
        await behind.chat.start()


async def test_another_replica_is_tried_where_one_does_not_take_connections(
    behind: World, operator: dict[str, str], start_gateway: Callable[..., Awaitable[Gateway]]
) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    gateway = await start_gateway(PARLEY_CHAT_URLS=f"{dead},{behind.chat.url}")
    for _ in range(6):
        async with gateway.get(PATH, headers=operator) as answer:
            assert answer.status == 200
        async with gateway.post("/api/v1/operator/message", json={}, headers=operator) as answer:
            assert answer.status == 200


async def test_replicas_take_turns(
    behind: World, operator: dict[str, str], start_gateway: Callable[..., Awaitable[Gateway]]
) -> None:
    chat, presence = behind.chat, behind.services["presence"]
    gateway = await start_gateway(PARLEY_CHAT_URLS=f"{chat.url},{presence.url}")
    for _ in range(10):
        async with gateway.get(PATH, headers=operator) as answer:
            assert answer.status == 200
    assert len(chat.forwarded()) == len(presence.forwarded()) == 5


async def test_question_that_broke_is_asked_again_and_a_change_is_not(
    gateway: Gateway, behind: World, operator: dict[str, str]
) -> None:
    times: list[str] = []

    async def hang_up_once(request: web.Request, _asked: Asked) -> web.StreamResponse:
        times.append(request.method)
        if times.count(request.method) == 1:
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(60)
        return web.json_response({"success": True})

    behind.chat.answers["GET", PATH] = hang_up_once
    behind.chat.answers["POST", "/api/v1/operator/message"] = hang_up_once
    async with gateway.get(PATH, headers=operator) as answer:
        assert answer.status == 200
    async with gateway.post("/api/v1/operator/message", json={}, headers=operator) as answer:
        assert answer.status == 502
        assert (await answer.json())["code"] == "failed"
    assert times == ["GET", "GET", "POST"]
    times.clear()
    headers = operator | {"Idempotency-Key": "once"}
    async with gateway.post("/api/v1/operator/message", json={}, headers=headers) as answer:
        assert answer.status == 200


async def test_stream_that_does_not_begin_is_504(gateway: Gateway, behind: World, operator: dict[str, str]) -> None:
    async def hang(_request: web.Request, _asked: Asked) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    behind.notify.answers["GET", "/api/v1/operator/stream"] = hang
    started = time.monotonic()
    async with gateway.get("/api/v1/operator/stream", headers=operator) as answer:
        assert answer.status == 504
        assert (await answer.json())["code"] == "late"
    assert 9 < time.monotonic() - started < 12


async def test_client_that_never_reads_is_cut_off(gateway: Gateway, behind: World, operator: dict[str, str]) -> None:
    left = asyncio.Event()

    async def flood(request: web.Request, _asked: Asked) -> web.StreamResponse:
        response = events()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"data: " + b"x" * 60_000 + b"\n\n")
        finally:
            left.set()

    behind.notify.answers["GET", "/api/v1/operator/stream"] = flood
    host, port = "127.0.0.1", int(gateway.url.rpartition(":")[2])
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.setblocking(False)
        await asyncio.get_running_loop().sock_connect(lazy, (host, port))
        head = f"GET /api/v1/operator/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {operator['Authorization']}\r\n\r\n"
        await asyncio.get_running_loop().sock_sendall(lazy, head.encode())
        async with asyncio.timeout(28):
            await left.wait()


async def test_streams_end_and_requests_are_finished_when_the_gateway_stops(
    behind: World, operator: dict[str, str], start_gateway: Callable[..., Awaitable[Gateway]]
) -> None:
    gateway = await start_gateway(PARLEY_STOP_SECONDS="6")
    began = asyncio.Event()

    async def stream(request: web.Request, _asked: Asked) -> web.StreamResponse:
        response = events()
        await response.prepare(request)
        await response.write(b": hello\n\n")
        await asyncio.sleep(60)
        return response

    async def slow(_request: web.Request, _asked: Asked) -> web.StreamResponse:
        began.set()
        await asyncio.sleep(1)
        return web.json_response({"done": True})

    behind.notify.answers["GET", "/api/v1/operator/stream"] = stream
    behind.chat.answers["POST", "/api/v1/operator/message"] = slow
    streams = [await gateway.get("/api/v1/operator/stream", headers=operator) for _ in range(10)]
    asking = asyncio.ensure_future(gateway.post("/api/v1/operator/message", json={}, headers=operator))
    await began.wait()
    gateway.process.terminate()
    ends = []

    async def end_of(answer: aiohttp.ClientResponse) -> None:
        assert await answer.read() == b": hello\n\n"
        ends.append(time.monotonic())

    async with asyncio.timeout(5):
        await asyncio.gather(*(end_of(answer) for answer in streams))
    answer = await asking
    assert await answer.json() == {"done": True}
    assert max(ends) - min(ends) > 0.2
    async with asyncio.timeout(5):
        assert await gateway.process.wait() == 0


async def test_uploaded_images_are_anybodys_to_read(gateway: Gateway, behind: World) -> None:
    name = "a" * 32 + ".png"

    async def image(_request: web.Request, _asked: Asked) -> web.StreamResponse:
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return web.Response(body=b"png", content_type="image/png", headers=headers)

    behind.chat.answers["GET", f"/uploads/{name}"] = image
    async with gateway.get(f"/uploads/{name}") as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", b"png")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"].endswith("immutable")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
