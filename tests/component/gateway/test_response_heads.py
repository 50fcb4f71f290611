"""The raw head of a forwarded response: HTTP version, kept connections, standard headers."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from component.gateway.harness import FakeBackend, Gateway, RecordedRequest, token_for

PATH = "/api/v1/operator/all-chat-counts"


async def send_raw_request(
    gateway: Gateway, backend: FakeBackend, version: str, *lines: str
) -> tuple[str, dict[str, str], bytes, bool]:
    """Return status line, headers, body, and whether the connection was closed after the response."""
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = [
        f"GET {PATH} {version}",
        f"Host: {host}",
        f"Authorization: Bearer {token_for(backend.add_operator())}",
        *lines,
    ]
    writer.write("\r\n".join([*head, "", ""]).encode())
    async with asyncio.timeout(10):
        status, *rows = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = dict(row.split(": ", 1) for row in rows)
        body = await reader.readexactly(int(headers["Content-Length"]))
        try:
            async with asyncio.timeout(0.5):
                closed = await reader.read(1) == b""
        except TimeoutError:
            closed = False
    writer.close()
    return status, headers, body, closed


async def test_response_has_the_standard_headers(gateway: Gateway, backend: FakeBackend) -> None:
    status, headers, body, closed = await send_raw_request(
        gateway, backend, "HTTP/1.1", "X-Request-Id: a-request-id-of-the-client"
    )
    assert status == "HTTP/1.1 200 OK"
    assert body == b'{"success": true, "service": "chat", "path": "%b"}' % PATH.encode()
    assert headers["X-Request-Id"] == "a-request-id-of-the-client"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Server"] == "parley"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Date"].endswith("GMT")
    assert "Connection" not in headers
    assert not closed


@pytest.mark.parametrize(
    ("version", "requested", "connection_header", "is_closed"),
    [
        ("HTTP/1.1", "close", "close", True),
        ("HTTP/1.0", "keep-alive", "keep-alive", False),
        ("HTTP/1.0", None, None, True),
    ],
)
async def test_connection_is_kept_if_the_client_requests_it(
    gateway: Gateway,
    backend: FakeBackend,
    version: str,
    requested: str | None,
    connection_header: str | None,
    is_closed: bool,
) -> None:
    lines = [f"Connection: {requested}"] if requested is not None else []
    status, headers, _, closed = await send_raw_request(gateway, backend, version, *lines)
    assert status == f"{version} 200 OK"
    assert headers.get("Connection") == connection_header
    assert closed is is_closed


async def test_service_sets_cache_control_but_not_the_gateways_headers(gateway: Gateway, backend: FakeBackend) -> None:
    async def respond(_: web.Request, __: RecordedRequest) -> web.Response:
        headers = {"Cache-Control": "private", "Access-Control-Allow-Origin": "*", "X-Parley-Identity": "x"}
        return web.Response(status=203, body=b"body", headers=headers)

    backend.chat.handlers["GET", PATH] = respond
    status, headers, body, _ = await send_raw_request(gateway, backend, "HTTP/1.1")
    assert (status, body) == ("HTTP/1.1 203 Non-Authoritative Information", b"body")
    assert headers["Cache-Control"] == "private"
    assert not {"Access-Control-Allow-Origin", "X-Parley-Identity"} & set(headers)
