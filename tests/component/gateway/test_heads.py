"""The head of a forwarded answer, as it stands on the wire: versions, kept connections, and what every answer has."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from component.gateway.harness import Asked, Gateway, World, token_for

PATH = "/api/v1/operator/all-chat-counts"


async def answered(
    gateway: Gateway, world: World, version: str, *lines: str
) -> tuple[str, dict[str, str], bytes, bool]:
    """Status line, headers, body, and whether the connection was closed after it."""
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = [f"GET {PATH} {version}", f"Host: {host}", f"Authorization: Bearer {token_for(world.operator())}", *lines]
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


async def test_answer_has_what_every_answer_has(gateway: Gateway, behind: World) -> None:
    status, headers, body, closed = await answered(gateway, behind, "HTTP/1.1", "X-Request-Id: request-id-of-mine")
    assert status == "HTTP/1.1 200 OK"
    assert body == b'{"success": true, "service": "chat", "path": "%b"}' % PATH.encode()
    assert headers["X-Request-Id"] == "request-id-of-mine"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Server"] == "parley"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Date"].endswith("GMT")
    assert "Connection" not in headers
    assert not closed


@pytest.mark.parametrize(
    ("version", "asked", "said", "closed"),
    [
        ("HTTP/1.1", "close", "close", True),
        ("HTTP/1.0", "keep-alive", "keep-alive", False),
        ("HTTP/1.0", None, None, True),
    ],
)
async def test_connection_is_kept_where_the_client_wants_it(
    gateway: Gateway, behind: World, version: str, asked: str | None, said: str | None, closed: bool
) -> None:
    lines = [f"Connection: {asked}"] if asked is not None else []
    status, headers, _, was_closed = await answered(gateway, behind, version, *lines)
    assert status == f"{version} 200 OK"
    assert headers.get("Connection") == said
    assert was_closed is closed


async def test_service_says_what_may_be_kept_and_cannot_speak_for_the_gateway(gateway: Gateway, behind: World) -> None:
    async def answer(_: web.Request, __: Asked) -> web.Response:
        headers = {"Cache-Control": "private", "Access-Control-Allow-Origin": "*", "X-Parley-Identity": "x"}
        return web.Response(status=203, body=b"kept", headers=headers)

    behind.chat.answers["GET", PATH] = answer
    status, headers, body, _ = await answered(gateway, behind, "HTTP/1.1")
    assert (status, body) == ("HTTP/1.1 203 Non-Authoritative Information", b"kept")
    assert headers["Cache-Control"] == "private"
    assert not {"Access-Control-Allow-Origin", "X-Parley-Identity"} & set(headers)
