"""The way to the service that owns the answer, and back: bodies and streams as they come, nothing kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

from aiohttp import web
from multidict import CIMultiDict

from parley.common.errors import Failed, Late, Malformed
from parley.common.http.instrumentation import note_status
from parley.common.observability.logging import current_trace
from parley.gateway.middleware.request import dress
from parley.gateway.proxy.buffered_response import Whole, fits
from parley.gateway.proxy.http1_connection import Head, Wire, WireBroken
from parley.gateway.proxy.request_head import asking, request_head
from parley.gateway.proxy.upstreams import Exchange, Upstream
from parley.gateway.rate_limit.stream_limiter import Streams
from parley.gateway.routes import Forward, Kind

_PLAIN_SECONDS = 15.0
_FIRST_BYTE_SECONDS = 10.0
_UPLOAD_SECONDS = 75.0
_STALLED_SECONDS = 20.0
_HELD_WHOLE = 256 * 1024

_PASSED = (
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "Accept",
    "Accept-Language",
    "User-Agent",
    "Range",
    "If-None-Match",
    "If-Modified-Since",
)


class Outgoing(NamedTuple):
    """A request that has been let in: whose it is, what it asks, and its body where that is small."""

    request: web.Request
    route: Forward
    identity: str
    query: str
    body: bytes | None = None


class Forwarder:
    """Sends requests on to the services."""

    def __init__(self, upstreams: Mapping[str, Upstream], streams: Streams) -> None:
        self._upstreams = upstreams
        self._streams = streams

    async def forward(self, outgoing: Outgoing) -> web.StreamResponse:
        """The service's answer, streamed where it is long. Raises Unavailable, Failed, Late."""
        route, request = outgoing.route, outgoing.request
        seconds = _PLAIN_SECONDS if route.kind is Kind.PLAIN else _FIRST_BYTE_SECONDS
        replayable = route.method == "GET" or "Idempotency-Key" in request.headers
        with asking(route.service, route.method, route.path) as span:
            exchange, head = await self._upstreams[route.service].ask(_head(outgoing), seconds, replayable=replayable)
            note_status(span, head.status)
        async with exchange:
            if route.kind is Kind.STREAM and head.status == 200:
                with self._streams.ended_by(exchange.wire.cut):
                    return await _answer(request, exchange, head)
            return await _answer(request, exchange, head)

    async def upload(self, outgoing: Outgoing, parts: AsyncIterator[bytes]) -> web.StreamResponse:
        """The same for a body that is sent on as it comes in; the answer may come before its end."""
        route = outgoing.route
        with asking(route.service, route.method, route.path) as span:
            exchange = await self._upstreams[route.service].open(_upload_head(outgoing))
            async with exchange:
                head = await _send_parts(exchange.wire, parts, framed=outgoing.request.content_length is None)
                note_status(span, head.status)
                return await _answer(outgoing.request, exchange, head)


def _head(outgoing: Outgoing) -> tuple[bytes, bytes]:
    body = outgoing.body
    if body is None and outgoing.route.method != "GET":
        body = b""
    return request_head(
        outgoing.route.method, _target(outgoing), outgoing.identity, current_trace(), _passed(outgoing.request), body
    )


def _upload_head(outgoing: Outgoing) -> tuple[bytes, bytes]:
    length = outgoing.request.content_length
    framing = ("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length))
    headers = [*_passed(outgoing.request), framing]
    return request_head(outgoing.route.method, _target(outgoing), outgoing.identity, current_trace(), headers, None)


def _target(outgoing: Outgoing) -> str:
    """Made from our own table, so that no path of the client's making reaches a service."""
    path = outgoing.route.path
    if "{" in path:
        path = path.format(**outgoing.request.match_info)
    return f"{path}?{outgoing.query}" if outgoing.query else path


def _passed(request: web.Request) -> list[tuple[str, str]]:
    found = []
    for name in _PASSED:
        value = request.headers.get(name)
        if value is not None:
            if "\r" in value or "\n" in value or "\0" in value:
                raise Malformed(f"The header {name} is malformed.")
            found.append((name, value))
    return found


async def _send_parts(wire: Wire, parts: AsyncIterator[bytes], *, framed: bool) -> Head:
    """Send the body while listening: a refusal that comes early is believed at once, and the rest not sent."""
    sending = asyncio.create_task(_send_all(wire, parts, framed=framed), name="upload:body")
    answering = asyncio.create_task(wire.head(), name="upload:answer")
    try:
        async with asyncio.timeout(_UPLOAD_SECONDS):
            await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                await sending
            return await answering
    except WireBroken as exc:
        raise Failed from exc
    except TimeoutError as exc:
        raise Late from exc
    finally:
        sending.cancel()
        answering.cancel()
        await asyncio.gather(sending, answering, return_exceptions=True)


async def _send_all(wire: Wire, parts: AsyncIterator[bytes], *, framed: bool) -> None:
    async for part in parts:
        await wire.send(b"%x\r\n%b\r\n" % (len(part), part) if framed else part)
    if framed:
        await wire.send(b"0\r\n\r\n")
    wire.sent_all()


async def _answer(request: web.Request, exchange: Exchange, head: Head) -> web.StreamResponse:
    endless = head.media == "text/event-stream"
    if not endless and (exchange.wire.ended or (head.length is not None and head.length <= _HELD_WHOLE)):
        body = await exchange.rest(_HELD_WHOLE, _PLAIN_SECONDS)
        lines = tuple(head.headers)
        if fits(head.status, lines):
            return Whole(head.status, lines, body)
        return web.Response(status=head.status, headers=CIMultiDict(lines), body=body)
    response = web.StreamResponse(status=head.status, headers=CIMultiDict(head.headers))
    if head.length is not None:
        response.content_length = head.length
    return await _relay(request, response, exchange.wire)


async def _relay(request: web.Request, response: web.StreamResponse, wire: Wire) -> web.StreamResponse:
    """Part for part as they come. A client that does not take them is cut off after 20 s."""
    dress(request, response)
    await response.prepare(request)
    try:
        while part := await wire.read():
            async with asyncio.timeout(_STALLED_SECONDS):
                await response.write(part)
        async with asyncio.timeout(_STALLED_SECONDS):
            await response.write_eof()
    except (WireBroken, TimeoutError) as exc:
        # It has begun: only breaking off tells the client that this is not the whole of it.
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the answer broke off") from exc
    return response
