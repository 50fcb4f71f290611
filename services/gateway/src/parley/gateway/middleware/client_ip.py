"""Where a request comes from: the peer, or what a trusted proxy says of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Addresses:
    """Finds the client's address. X-Forwarded-For is believed only as far as trusted proxies wrote it."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)
        self._trusts = lru_cache(4096)(self._is_trusted)

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """The address nearest to us that no trusted proxy has. `forwarded` are the header's lines, in order."""
        if not forwarded or not self._trusts(peer):
            return peer
        hops = [hop.strip() for line in forwarded for hop in line.split(",")]
        nearest = peer
        for hop in reversed(hops):
            address = _read(hop)
            if address is None:
                return nearest
            nearest = str(address)
            if not self._trusts(nearest):
                return nearest
        return nearest

    def _is_trusted(self, text: str) -> bool:
        address = _read(text)
        return address is not None and any(address in network for network in self._trusted)


@lru_cache(4096)
def bucket_of(address: str) -> str:
    """What rate limits count as one address: an IPv4 address, or an IPv6 network of 64 bits, which one user has."""
    read = _read(address)
    if isinstance(read, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(read) >> 64 << 64, 64)))
    return address


def _read(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
