"""Restricts the AI endpoints that sites name to the public internet, at each connection (SSRF protection).

A site's manager is not the installation's administrator: an endpoint they enter must not give access to the network
that Parley runs in. The host name is resolved here, all its addresses are checked, and the connection goes to one of
the checked addresses, so a later DNS answer has no effect. Redirects are not followed, and responses are bounded.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

import httpx2

from parley.chat.ai.timeouts import RESOLVE_TIMEOUT_SECONDS

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Resolves `(host, port)` to IP addresses. Raises OSError."""

MAX_RESPONSE_BYTES = 4_000_000
"""Far above a streamed reply of thousands of tokens."""

_MAX_CONCURRENT_LOOKUPS = 4
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = "must lead to the public internet"


class EndpointRejected(Exception):
    """A site may not use this endpoint. The message says why, and contains nothing of the request."""


class ThreadedResolver:
    """The system's resolver, in threads of its own: a slow name server does not block other lookups of the process."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(_MAX_CONCURRENT_LOOKUPS, "ai-addresses")

    async def __call__(self, host: str, port: int) -> list[str]:
        """IP addresses in the order of the system's preference. Raises OSError."""
        lookup = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            rows = await asyncio.get_running_loop().run_in_executor(self._executor, lookup)
        except UnicodeError as exc:
            raise OSError(f"{host!r} is not a host name") from exc
        return list(dict.fromkeys(str(row[4][0]) for row in rows))


def is_public(text: str) -> bool:
    """Whether an IP address, and each address embedded in it, belongs to the public internet."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return all(
        candidate.is_global
        and not (candidate.is_multicast or candidate.is_reserved or candidate.is_unspecified)
        and not (candidate.version == 6 and candidate.is_site_local)
        for candidate in _with_embedded_addresses(address)
    )


def _with_embedded_addresses(address: Address) -> list[Address]:
    """An address with those that it embeds: IPv4-mapped, 6to4, Teredo. A NAT64 address stands for the embedded one."""
    if not isinstance(address, ipaddress.IPv6Address):
        return [address]
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    embedded = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
    return [address, *(candidate for candidate in embedded if candidate is not None)]


class SsrfGuard:
    """Decides which endpoints sites may use. Those in `exempt`, as `host` or `host:port`, are not checked."""

    def __init__(self, exempt: Collection[str] = (), resolve: Resolve | None = None) -> None:
        self._exempt = frozenset(name.lower() for name in exempt)
        self._resolve = resolve or ThreadedResolver()

    def is_exempt(self, host: str, port: int) -> bool:
        return not self._exempt.isdisjoint((host.lower(), f"{host.lower()}:{port}"))

    async def find_rejection(self, base_url: str) -> str | None:
        """Why a site may not use an endpoint; None also for a name that cannot be resolved now."""
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        if self.is_exempt(host, port):
            return None
        if parts.scheme != "https":
            return "must start with https://"
        try:
            await self.resolve_public(host, port)
        except EndpointRejected:
            return _NOT_PUBLIC
        except OSError:
            return None
        return None

    async def resolve_public(self, host: str, port: int) -> list[str]:
        """The host's IP addresses, all of them public. Raises EndpointRejected, OSError (also on a timeout)."""
        async with asyncio.timeout(RESOLVE_TIMEOUT_SECONDS):
            addresses = await self._resolve(host, port)
        if not addresses or not all(map(is_public, addresses)):
            raise EndpointRejected(f"{host}:{port} {_NOT_PUBLIC}")
        return addresses


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
