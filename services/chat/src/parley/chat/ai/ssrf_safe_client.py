"""The HTTP client for AI endpoints that sites name: it connects to addresses that the guard has checked.

Redirects are not followed, and responses are bounded. Apart from the guard, since its library is slow to import.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import httpx2

from parley.common.http.ssrf_guard import EndpointRejected, SsrfGuard

MAX_RESPONSE_BYTES = 4_000_000
"""Far above a streamed reply of thousands of tokens."""


def build_ssrf_safe_client(guard: SsrfGuard) -> httpx2.AsyncClient:
    """An HTTP client for endpoints that sites name: no proxy, no redirects, no compression."""
    return httpx2.AsyncClient(
        transport=SsrfSafeTransport(guard),
        trust_env=False,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
    )


class SsrfSafeTransport(httpx2.AsyncHTTPTransport):
    """Connects to checked addresses only, and limits the size of responses."""

    def __init__(self, guard: SsrfGuard, verify: ssl.SSLContext | bool = True) -> None:
        super().__init__(verify=verify, trust_env=False)
        self._guard = guard

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        if self._guard.is_exempt(host, port):
            return _limit_response(await super().handle_async_request(request))
        if request.url.scheme != "https":
            raise EndpointRejected(f"{host}:{port} is not called without TLS")
        try:
            addresses = await self._guard.resolve_public(host, port)
        except OSError as exc:
            raise httpx2.ConnectError(f"{host} could not be resolved") from exc
        for address in addresses[:-1]:
            try:
                return await self._send_to(request, address)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._send_to(request, addresses[-1])

    async def _send_to(self, request: httpx2.Request, address: str) -> httpx2.Response:
        """Send the request to one address. The Host header and the certificate's name remain those of the host."""
        pinned = httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
        )
        return _limit_response(await super().handle_async_request(pinned))


def _limit_response(response: httpx2.Response) -> httpx2.Response:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        # It was not asked for, and a small body could decompress to more than fits into memory.
        raise httpx2.RemoteProtocolError("the response is compressed")
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    return httpx2.Response(
        response.status_code,
        headers=response.headers,
        stream=_LimitedStream(response.stream),
        extensions=response.extensions,
    )


class _LimitedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for chunk in self._inner:
            length += len(chunk)
            if length > MAX_RESPONSE_BYTES:
                raise httpx2.RemoteProtocolError("the response is too large")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
