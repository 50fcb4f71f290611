"""Holds the AI endpoints that sites name to the public internet, at the moment of connecting.

A site's manager is not the installation's: what they name must not be a way into the network that Parley runs in. The
name is resolved here, every address it has is looked at, and the connection goes to the very address that was looked
at: a name that answers otherwise a moment later gains nothing. Redirects are not followed, and what comes back is
bounded.
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

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a name: `(host, port)`. Raises OSError."""

LARGEST_ANSWER = 4_000_000
"""Bytes; an answer of thousands of tokens, each an event of its own, is far below it."""

_RESOLVE_SECONDS = 3.0
_RESOLVING_AT_ONCE = 4
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = "must lead to the public internet"


class AddressRefused(Exception):
    """An endpoint that sites may not name. Says why, never what was to be sent."""


class Resolver:
    """The system's, in threads of its own: a name whose servers do not answer keeps no other name waiting."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVING_AT_ONCE, "ai-addresses")

    async def __call__(self, host: str, port: int) -> list[str]:
        """The addresses of a name, those first that this machine prefers. Raises OSError."""
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except UnicodeError as exc:
            raise OSError(f"{host!r} is no name of a host") from exc
        return list(dict.fromkeys(str(row[4][0]) for row in found))


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet, also where it wraps another one."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return all(
        one.is_global
        and not (one.is_multicast or one.is_reserved or one.is_unspecified)
        and not (one.version == 6 and one.is_site_local)
        for one in _meant(address)
    )


def _meant(address: Address) -> list[Address]:
    """An address, and those that it leads on to where it is IPv6: mapped, 6to4, Teredo; NAT64 is only a way to one."""
    if not isinstance(address, ipaddress.IPv6Address):
        return [address]
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    inner = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
    return [address, *(one for one in inner if one is not None)]


class Addresses:
    """Which endpoints sites may name. `exempt` ones, `host` or `host:port`, are taken as they are."""

    def __init__(self, exempt: Collection[str] = (), resolve: Resolve | None = None) -> None:
        self._exempt = frozenset(name.lower() for name in exempt)
        self._resolve = resolve or Resolver()

    def exempts(self, host: str, port: int) -> bool:
        """Whether the installation's settings let sites name this one whatever it is."""
        return not self._exempt.isdisjoint((host.lower(), f"{host.lower()}:{port}"))

    async def refuse(self, base_url: str) -> str | None:
        """Why a site may not name an endpoint. A name that cannot be resolved now is looked at when it is called."""
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        if self.exempts(host, port):
            return None
        if parts.scheme != "https":
            return "must start with https://"
        try:
            await self.checked(host, port)
        except AddressRefused:
            return _NOT_PUBLIC
        except OSError:
            return None
        return None

    async def checked(self, host: str, port: int) -> list[str]:
        """The addresses of a host, all of them public. Raises AddressRefused, OSError."""
        async with asyncio.timeout(_RESOLVE_SECONDS):
            found = await self._resolve(host, port)
        if not found or not all(map(is_public, found)):
            raise AddressRefused(f"{host}:{port} {_NOT_PUBLIC}")
        return found


class PublicTransport(httpx2.AsyncHTTPTransport):
    """Connects to addresses that were looked at, and reads no more than an answer may have."""

    def __init__(self, addresses: Addresses, verify: ssl.SSLContext | bool = True) -> None:
        super().__init__(verify=verify, trust_env=False)
        self._addresses = addresses

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        if self._addresses.exempts(host, port):
            return _bounded(await super().handle_async_request(request))
        if request.url.scheme != "https":
            raise AddressRefused(f"{host}:{port} is not called without TLS")
        try:
            found = await self._addresses.checked(host, port)
        except OSError as exc:
            raise httpx2.ConnectError(f"{host} could not be resolved") from exc
        for address in found[:-1]:
            try:
                return await self._call(request, address)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._call(request, found[-1])

    async def _call(self, request: httpx2.Request, address: str) -> httpx2.Response:
        """The request to one address. Its Host header, and the name its certificate must have, stay as they are."""
        pinned = httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
        )
        return _bounded(await super().handle_async_request(pinned))


def _bounded(response: httpx2.Response) -> httpx2.Response:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        # Nobody asked for it, and a small body could unpack to more than there is memory.
        raise httpx2.RemoteProtocolError("the answer is compressed")
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    return httpx2.Response(
        response.status_code,
        headers=response.headers,
        stream=_BoundedStream(response.stream),
        extensions=response.extensions,
    )


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for chunk in self._inner:
            length += len(chunk)
            if length > LARGEST_ANSWER:
                raise httpx2.RemoteProtocolError("the answer is too large")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
