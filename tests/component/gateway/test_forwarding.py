"""Forwarding: streams, failures, retries, and what services and clients see of each other's headers."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from component.gateway.harness import FakeBackend, Gateway, RecordedRequest, bearer, free_port, token_for
from support.wait import wait_until

PATH = "/api/v1/operator/active-chats"


@pytest.fixture
def operator(backend: FakeBackend) -> dict[str, str]:
    """The headers of a new operator."""
    return bearer(token_for(backend.add_operator()))


def build_event_stream(*_: object) -> web.StreamResponse:
    return web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})


async def test_event_stream_is_forwarded_event_by_event(
    gateway: Gateway, backend: FakeBackend, operator: dict[str, str]
) -> None:
    event_queue: asyncio.Queue[bytes] = asyncio.Queue()

    async def stream(request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        response = build_event_stream()
        await response.prepare(request)
        while event := await event_queue.get():
            await response.write(event)
        return response

    backend.notify.handlers["GET", "/api/v1/operator/stream"] = stream
    headers = operator | {"Last-Event-ID": "17"}
    async with gateway.get("/api/v1/operator/stream", headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["X-Request-Id"]
        for number in range(20):
            event = f"id: {number}\ndata: {'x' * number * 50}\n\n".encode()
            await event_queue.put(event)
            async with asyncio.timeout(10):
                assert await response.content.readexactly(len(event)) == event
        await event_queue.put(b"")
        assert await response.content.read() == b""
    (recorded,) = backend.notify.proxied_requests()
    assert recorded.headers["Last-Event-ID"] == "17"


async def test_client_disconnect_ends_the_request_to_the_service(
    gateway: Gateway, backend: FakeBackend, operator: dict[str, str]
) -> None:
    disconnected = asyncio.Event()

    async def stream(request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        response = build_event_stream()
        await response.prepare(request)
        await response.write(b": hello\n\n")
        try:
            await asyncio.sleep(60)
        finally:
            disconnected.set()
        return response

    backend.notify.handlers["GET", "/api/v1/operator/stream"] = stream
    response = await gateway.get("/api/v1/operator/stream", headers=operator)
    await response.content.readany()
    response.close()
    async with asyncio.timeout(10):
        await disconnected.wait()


async def test_client_disconnect_before_the_response_ends_the_request_to_the_service(
    gateway: Gateway, backend: FakeBackend, operator: dict[str, str]
) -> None:
    started, disconnected = asyncio.Event(), asyncio.Event()

    async def never_respond(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            disconnected.set()
        return web.Response()

    backend.notify.handlers["GET", "/api/v1/operator/stream"] = never_respond
    pending = asyncio.ensure_future(gateway.get("/api/v1/operator/stream", headers=operator))
    await started.wait()
    pending.cancel()
    async with asyncio.timeout(10):
        await disconnected.wait()

    async def closed() -> bool:
        return "parley_gateway_streams 0.0" in await gateway.metrics()

    await wait_until(closed)


async def test_long_response_is_complete(gateway: Gateway, backend: FakeBackend, operator: dict[str, str]) -> None:
    content = bytes(range(256)) * 20_000

    async def send(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        return web.Response(body=content, content_type="application/json")

    async def send_chunked(request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(content), 70_001):
            await response.write(content[start : start + 70_001])
        return response

    for handler in (send, send_chunked):
        backend.chat.handlers["GET", PATH] = handler
        async with gateway.get(PATH, headers=operator) as response:
            assert await response.read() == content


async def test_truncated_response_is_truncated_for_the_client_too(
    gateway: Gateway, backend: FakeBackend, operator: dict[str, str]
) -> None:
    half, received = b"data: half of it", asyncio.Event()

    async def stream(request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        response = build_event_stream()
        await response.prepare(request)
        await response.write(half)
        assert request.transport is not None
        await received.wait()
        request.transport.abort()
        return response

    backend.notify.handlers["GET", "/api/v1/operator/stream"] = stream
    async with gateway.get("/api/v1/operator/stream", headers=operator) as response:
        assert await response.content.readexactly(len(half)) == half
        received.set()
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_status_and_headers_are_forwarded_except_hop_by_hop_headers(
    gateway: Gateway, backend: FakeBackend, operator: dict[str, str]
) -> None:
    async def send(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
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

    backend.chat.handlers["POST", "/api/v1/operator/message"] = send
    async with gateway.post("/api/v1/operator/message", json={"a": 1}, headers=operator) as response:
        assert response.status == 429
        assert (response.headers["Retry-After"], response.headers["ETag"]) == ("7", '"x"')
        assert response.headers["Idempotent-Replayed"] == "true"
        assert response.headers["Server"] == "parley"
        assert response.headers["X-Request-Id"] != "inner"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert not {"set-cookie", "x-parley-secret"} & {name.lower() for name in response.headers}


@pytest.mark.parametrize("status", [204, 304])
async def test_response_without_a_body_keeps_the_connection(
    gateway: Gateway, backend: FakeBackend, operator: dict[str, str], status: int
) -> None:
    async def send_no_body(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        return web.Response(status=status)

    backend.chat.handlers["GET", PATH] = send_no_body
    for _ in range(3):
        async with gateway.get(PATH, headers=operator) as response:
            assert response.status == status


async def test_request_body_is_forwarded_unchanged(
    gateway: Gateway, backend: FakeBackend, operator: dict[str, str]
) -> None:
    raw = b'{ "a" : 1.50, "b":"\\u00e9" , "a": 2}'
    headers = operator | {"Content-Type": "application/json"}
    for method in ("POST", "PUT", "PATCH"):
        path = f"{gateway.url}/api/v1/operator/conversation/7/visitor?x=%20y"
        async with gateway.client.request(method, path, data=raw, headers=headers) as response:
            assert response.status == 200
    assert [recorded.body for recorded in backend.chat.proxied_requests()] == [raw] * 3
    assert {recorded.query["x"] for recorded in backend.chat.proxied_requests()} == {" y"}


async def test_only_routes_of_the_table_are_reachable(
    gateway: Gateway, backend: FakeBackend, operator: dict[str, str]
) -> None:
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
        async with gateway.client.get(URL(gateway.url + path, encoded=True), headers=operator) as response:
            assert response.status == 404, path
            assert (await response.json())["code"] == "not_found"
    assert backend.chat.proxied_requests() == []


async def test_wrong_method_is_405_with_the_allowed_methods(gateway: Gateway, operator: dict[str, str]) -> None:
    async with gateway.client.delete(
        f"{gateway.url}/api/v1/operator/conversation/1/visitor", headers=operator
    ) as response:
        assert response.status == 405
        assert set(response.headers["Allow"].split(",")) == {"PATCH", "POST", "PUT"}
        body = await response.json()
        assert (body["success"], body["code"]) == (False, "method_not_allowed")


async def test_connections_to_a_service_are_reused(
    gateway: Gateway, backend: FakeBackend, operator: dict[str, str]
) -> None:
    peers = set()

    async def record_peer(request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        peers.add(request.transport.get_extra_info("peername"))  # type: ignore[union-attr]
        return web.json_response({})

    backend.chat.handlers["GET", PATH] = record_peer
    for _ in range(20):
        async with gateway.get(PATH, headers=operator) as response:
            assert response.status == 200
    assert len(peers) == 1


async def test_unreachable_service_is_503_until_it_is_back(
    gateway: Gateway, backend: FakeBackend, operator: dict[str, str]
) -> None:
    presence = backend.services["presence"]
    await presence.stop()
    try:
        async with gateway.get("/api/v1/operator/status", headers=operator) as response:
            assert response.status == 503
            body = await response.json()
            assert (body["success"], body["code"]) == (False, "unavailable")
            assert body["request_id"] == response.headers["X-Request-Id"]
    finally:
        await presence.start()
    async with gateway.get("/api/v1/operator/status", headers=operator) as response:
        assert response.status == 200


async def test_unreachable_chat_is_503_and_not_401_for_an_operator_that_is_not_cached(
    gateway: Gateway, backend: FakeBackend
) -> None:
    known, unknown = bearer(token_for(backend.add_operator())), bearer(token_for(backend.add_operator()))
    async with gateway.get("/api/v1/operator/status", headers=known) as response:
        assert response.status == 200
    await backend.chat.stop()
    try:
        async with gateway.get("/api/v1/operator/status", headers=known) as response:
            assert response.status == 200
        async with gateway.get("/api/v1/operator/status", headers=unknown) as response:
            assert response.status == 503
    finally:
        await backend.chat.start()


async def test_replica_that_refuses_connections_is_skipped(
    backend: FakeBackend, operator: dict[str, str], start_gateway: Callable[..., Awaitable[Gateway]]
) -> None:
    unreachable_url = f"http://127.0.0.1:{free_port()}"
    gateway = await start_gateway(PARLEY_CHAT_URLS=f"{unreachable_url},{backend.chat.url}")
    for _ in range(6):
        async with gateway.get(PATH, headers=operator) as response:
            assert response.status == 200
        async with gateway.post("/api/v1/operator/message", json={}, headers=operator) as response:
            assert response.status == 200


async def test_replicas_are_used_round_robin(
    backend: FakeBackend, operator: dict[str, str], start_gateway: Callable[..., Awaitable[Gateway]]
) -> None:
    chat, presence = backend.chat, backend.services["presence"]
    gateway = await start_gateway(PARLEY_CHAT_URLS=f"{chat.url},{presence.url}")
    for _ in range(10):
        async with gateway.get(PATH, headers=operator) as response:
            assert response.status == 200
    assert len(chat.proxied_requests()) == len(presence.proxied_requests()) == 5


async def test_interrupted_request_is_retried_only_if_it_is_idempotent(
    gateway: Gateway, backend: FakeBackend, operator: dict[str, str]
) -> None:
    attempts: list[str] = []

    async def disconnect_once(request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        attempts.append(request.method)
        if attempts.count(request.method) == 1:
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(60)
        return web.json_response({"success": True})

    backend.chat.handlers["GET", PATH] = disconnect_once
    backend.chat.handlers["POST", "/api/v1/operator/message"] = disconnect_once
    async with gateway.get(PATH, headers=operator) as response:
        assert response.status == 200
    async with gateway.post("/api/v1/operator/message", json={}, headers=operator) as response:
        assert response.status == 502
        assert (await response.json())["code"] == "failed"
    assert attempts == ["GET", "GET", "POST"]
    attempts.clear()
    headers = operator | {"Idempotency-Key": "once"}
    async with gateway.post("/api/v1/operator/message", json={}, headers=headers) as response:
        assert response.status == 200


async def test_streams_end_and_requests_finish_when_the_gateway_stops(
    backend: FakeBackend, operator: dict[str, str], start_gateway: Callable[..., Awaitable[Gateway]]
) -> None:
    gateway = await start_gateway(PARLEY_STOP_SECONDS="6")
    started, streams_ended = asyncio.Event(), asyncio.Event()

    async def stream(request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        response = build_event_stream()
        await response.prepare(request)
        await response.write(b": hello\n\n")
        await asyncio.sleep(60)
        return response

    async def respond_slowly(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        started.set()
        await streams_ended.wait()
        return web.json_response({"done": True})

    backend.notify.handlers["GET", "/api/v1/operator/stream"] = stream
    backend.chat.handlers["POST", "/api/v1/operator/message"] = respond_slowly
    streams = [await gateway.get("/api/v1/operator/stream", headers=operator) for _ in range(10)]
    pending = asyncio.ensure_future(gateway.post("/api/v1/operator/message", json={}, headers=operator))
    await started.wait()
    gateway.process.send_signal(signal.SIGTERM)
    end_times = []

    async def read_to_end(response: aiohttp.ClientResponse) -> None:
        assert await response.read() == b": hello\n\n"
        end_times.append(time.monotonic())

    async with asyncio.timeout(5):
        await asyncio.gather(*(read_to_end(response) for response in streams))
    streams_ended.set()
    response = await pending
    assert await response.json() == {"done": True}
    assert max(end_times) - min(end_times) > 0.2
    async with asyncio.timeout(5):
        assert await gateway.process.wait() == 0


async def test_uploaded_images_are_public(gateway: Gateway, backend: FakeBackend) -> None:
    name = "a" * 32 + ".png"

    async def send_image(_request: web.Request, _recorded: RecordedRequest) -> web.StreamResponse:
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return web.Response(body=b"png", content_type="image/png", headers=headers)

    backend.chat.handlers["GET", f"/uploads/{name}"] = send_image
    async with gateway.get(f"/uploads/{name}") as response:
        assert (response.status, response.content_type, await response.read()) == (200, "image/png", b"png")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"].endswith("immutable")
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
