"""The reverse proxy: forwards an authenticated request to its service, and the response to the client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple
from urllib.parse import quote

from aiohttp import web
from multidict import CIMultiDict

from parley.common.errors import BadGateway, BadRequest, GatewayTimeout
from parley.common.http import RateLimitClass
from parley.common.http.instrumentation import record_status
from parley.gateway.rate_limit.stream_limiter import StreamLimiter
from parley.gateway.routes import ProxyRoute, RouteKind
from parley.gateway.server.responses import BufferedResponse, apply_response_headers, has_cacheable_head
from parley.gateway.timeouts import (
    AI_RESPONSE_TIMEOUT_SECONDS,
    FILE_UPLOAD_TIMEOUT_SECONDS,
    FIRST_BYTE_TIMEOUT_SECONDS,
    RESPONSE_TIMEOUT_SECONDS,
    UPLOAD_TIMEOUT_SECONDS,
)
from parley.gateway.upstream.http1_connection import Http1Connection, ResponseHead, UpstreamDisconnected
from parley.gateway.upstream.replica_selection import Placement
from parley.gateway.upstream.request_head import RequestHead, build_request_head, client_span
from parley.gateway.upstream.upstream import Upstream, UpstreamRequest

_MAX_BUFFERED_BYTES = 256 * 1024
_HEAD_TIMEOUT_SECONDS = {RouteKind.JSON: RESPONSE_TIMEOUT_SECONDS, RouteKind.AI_JSON: AI_RESPONSE_TIMEOUT_SECONDS}
"""Other kinds are streams, whose head comes first."""
_BODILESS_METHODS = ("GET", "HEAD")

_FORWARDED_HEADERS = (
    "Content-Type",
    "Idempotency-Key",
    "Last-Event-ID",
    "Accept",
    "Accept-Language",
    "User-Agent",
    "Range",
    "If-Range",
    "If-None-Match",
    "If-Modified-Since",
)
"""All that services see of a client's headers."""


class ProxyRequest(NamedTuple):
    """An authenticated request. `body` is None for a GET and for an upload.

    `has_message_id`: the client gave its message an id, by which the service recognizes it.
    """

    request: web.Request
    route: ProxyRoute
    identity: str
    query: str
    placement: Placement
    body: bytes | None = None
    has_message_id: bool = False


class ReverseProxy:
    """Forwards requests to the services."""

    def __init__(self, upstreams: Mapping[str, Upstream], streams: StreamLimiter) -> None:
        self._upstreams = upstreams
        self._streams = streams

    async def forward(self, proxied: ProxyRequest) -> web.StreamResponse:
        """Return the service's response; a long one is streamed. Raises Unavailable, BadGateway, GatewayTimeout."""
        route, request = proxied.route, proxied.request
        timeout_seconds = _HEAD_TIMEOUT_SECONDS.get(route.kind, FIRST_BYTE_TIMEOUT_SECONDS)
        with client_span(route.service, route.method, route.path) as span:
            upstream_request, head = await self._upstreams[route.service].request(
                _build_head(proxied),
                timeout_seconds,
                is_retryable=_is_retryable(proxied),
                placement=proxied.placement,
            )
            record_status(span, head.status)
        async with upstream_request:
            if route.kind is RouteKind.EVENT_STREAM and head.status == 200:
                with self._streams.register(upstream_request.connection.truncate):
                    return await _forward_response(request, upstream_request, head)
            return await _forward_response(request, upstream_request, head)

    async def forward_upload(self, proxied: ProxyRequest, parts: AsyncIterator[bytes]) -> web.StreamResponse:
        """Forward a body while it arrives; the service may respond before its end. Raises the same as `forward`."""
        route = proxied.route
        is_chunked = proxied.request.content_length is None
        with client_span(route.service, route.method, route.path) as span:
            upstream_request = await self._upstreams[route.service].start_request(
                _build_upload_head(proxied), proxied.placement
            )
            async with upstream_request:
                seconds = FILE_UPLOAD_TIMEOUT_SECONDS if route.kind is RouteKind.FILE_UPLOAD else UPLOAD_TIMEOUT_SECONDS
                head = await _send_upload(upstream_request.connection, parts, seconds, is_chunked=is_chunked)
                record_status(span, head.status)
                return await _forward_response(proxied.request, upstream_request, head)


def _is_retryable(proxied: ProxyRequest) -> bool:
    """Return whether the service does the same thing once, however often it gets the request."""
    return (
        proxied.route.method in _BODILESS_METHODS
        or (proxied.has_message_id and proxied.route.kind is RouteKind.AI_STREAM)
        or "Idempotency-Key" in proxied.request.headers
        # Heartbeats, and that somebody is typing: both are repeated anyway.
        or proxied.route.rate_limit is RateLimitClass.HEARTBEAT
    )


def _build_head(proxied: ProxyRequest) -> RequestHead:
    body = proxied.body
    if body is None and proxied.route.method not in _BODILESS_METHODS:
        body = b""
    return build_request_head(
        # A HEAD is forwarded as GET, whose body is not read: services have no routes for it.
        "GET" if proxied.route.method == "HEAD" else proxied.route.method,
        _build_target(proxied),
        proxied.identity,
        _forwarded_headers(proxied.request),
        body,
    )


def _build_upload_head(proxied: ProxyRequest) -> RequestHead:
    length = proxied.request.content_length
    framing = ("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length))
    headers = [*_forwarded_headers(proxied.request), framing]
    return build_request_head(proxied.route.method, _build_target(proxied), proxied.identity, headers, None)


def _build_target(proxied: ProxyRequest) -> str:
    """Return path and query. The path is built from the route table, so a client cannot choose another one."""
    path = proxied.route.path
    if "{" in path:
        path = path.format(**{name: quote(value, safe="") for name, value in proxied.request.match_info.items()})
    return f"{path}?{proxied.query}" if proxied.query else path


def _forwarded_headers(request: web.Request) -> list[tuple[str, str]]:
    headers = []
    for name in _FORWARDED_HEADERS:
        value = request.headers.get(name)
        if value is not None:
            if "\r" in value or "\n" in value or "\0" in value:
                raise BadRequest(f"The header {name} is malformed.")
            headers.append((name, value))
    return headers


async def _send_upload(
    connection: Http1Connection, parts: AsyncIterator[bytes], timeout_seconds: float, *, is_chunked: bool
) -> ResponseHead:
    """Send the body and wait for the response head at the same time: an early rejection ends the upload."""
    sending = asyncio.create_task(_send_parts(connection, parts, is_chunked=is_chunked), name="upload:send")
    responding = asyncio.create_task(connection.read_head(), name="upload:read_head")
    try:
        async with asyncio.timeout(timeout_seconds):
            await asyncio.wait({sending, responding}, return_when=asyncio.FIRST_COMPLETED)
            if not responding.done():
                await sending
            return await responding
    except UpstreamDisconnected as exc:
        raise BadGateway from exc
    except TimeoutError as exc:
        raise GatewayTimeout from exc
    finally:
        sending.cancel()
        responding.cancel()
        await asyncio.gather(sending, responding, return_exceptions=True)


async def _send_parts(connection: Http1Connection, parts: AsyncIterator[bytes], *, is_chunked: bool) -> None:
    async for part in parts:
        await connection.write_body(b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part)
    if is_chunked:
        await connection.write_body(b"0\r\n\r\n")
    connection.finish_body()


async def _forward_response(
    request: web.Request, upstream_request: UpstreamRequest, head: ResponseHead
) -> web.StreamResponse:
    if request.method == "HEAD":
        # Nothing of the body is read: the connection is closed instead of used again.
        response = web.StreamResponse(status=head.status, headers=CIMultiDict(head.headers))
        if head.length is not None:
            response.content_length = head.length
        return response
    if _can_buffer(upstream_request.connection, head):
        body = await upstream_request.read_all(_MAX_BUFFERED_BYTES, RESPONSE_TIMEOUT_SECONDS)
        headers = tuple(head.headers)
        if has_cacheable_head(head.status, headers):
            return BufferedResponse(head.status, headers, body)
        return web.Response(status=head.status, headers=CIMultiDict(headers), body=body)
    response = web.StreamResponse(status=head.status, headers=CIMultiDict(head.headers))
    if head.length is not None:
        response.content_length = head.length
    return await _stream_response(request, response, upstream_request.connection)


def _can_buffer(connection: Http1Connection, head: ResponseHead) -> bool:
    if connection.is_complete:
        return True
    is_stream = head.media_type == "text/event-stream"
    return not is_stream and head.length is not None and head.length <= _MAX_BUFFERED_BYTES


async def _stream_response(
    request: web.Request, response: web.StreamResponse, connection: Http1Connection
) -> web.StreamResponse:
    """Forward the body as it arrives. A client that does not read is disconnected by `ClientConnections`."""
    apply_response_headers(request, response)
    await response.prepare(request)
    try:
        while part := await connection.read():
            await response.write(part)
        await response.write_eof()
    except UpstreamDisconnected as exc:
        # The response has started: only a broken connection shows the client that it is not complete.
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the response was truncated") from exc
    return response
