"""Restricts endpoints that users name to the public internet, at each connection (SSRF protection).

Those who enter an endpoint, of a site's AI or of a push service, do not administer the installation: it must not give
access to the network that Parley runs in. The host name is resolved here, all its addresses are checked, and the HTTP
client connects to one of the checked addresses, so a later DNS answer has no effect.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

from parley.common.http.timeouts import RESOLVE_TIMEOUT_SECONDS

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Resolves `(host, port)` to IP addresses. Raises OSError."""

_MAX_CONCURRENT_LOOKUPS = 4
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = "must lead to the public internet"


class EndpointRejected(Exception):
    """This endpoint may not be used. The message says why, and contains nothing of the request."""


class ThreadedResolver:
    """The system's resolver, in threads of its own: a slow name server does not block other lookups of the process."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(_MAX_CONCURRENT_LOOKUPS, "endpoint-addresses")

    async def __call__(self, host: str, port: int) -> list[str]:
        """IP addresses in the order of the system's preference. Raises OSError."""
        lookup = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            rows = await asyncio.get_running_loop().run_in_executor(self._executor, lookup)
        except UnicodeError as exc:
            raise OSError(f"{host!r} is not a host name") from exc
        return list(dict.fromkeys(str(row[4][0]) for row in rows))


def is_ip_address(host: str) -> bool:
    """Whether a URL names an address in place of a host name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


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
    """Decides which endpoints may be used. Those in `exempt`, as `host` or `host:port`, are not checked."""

    def __init__(self, exempt: Collection[str] = (), resolve: Resolve | None = None) -> None:
        self._exempt = frozenset(name.lower() for name in exempt)
        self._resolve = resolve or ThreadedResolver()

    def is_exempt(self, host: str, port: int) -> bool:
        return not self._exempt.isdisjoint((host.lower(), f"{host.lower()}:{port}"))

    async def find_rejection(self, base_url: str) -> str | None:
        """Why an endpoint may not be used; None also for a name that cannot be resolved now."""
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

    async def resolve(self, host: str, port: int) -> list[str]:
        """The host's IP addresses, all of them public unless it is exempt. Raises EndpointRejected, OSError."""
        if not self.is_exempt(host, port):
            return await self.resolve_public(host, port)
        async with asyncio.timeout(RESOLVE_TIMEOUT_SECONDS):
            return await self._resolve(host, port)

    async def resolve_public(self, host: str, port: int) -> list[str]:
        """The host's IP addresses, all of them public. Raises EndpointRejected, OSError (also on a timeout)."""
        async with asyncio.timeout(RESOLVE_TIMEOUT_SECONDS):
            addresses = await self._resolve(host, port)
        if not addresses or not all(map(is_public, addresses)):
            raise EndpointRejected(f"{host}:{port} {_NOT_PUBLIC}")
        return addresses
