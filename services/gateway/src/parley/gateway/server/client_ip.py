"""The client's IP address: the peer of the connection, or the address that a trusted proxy reports."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class ClientIpResolver:
    """Resolves the client's address. Entries of X-Forwarded-For count only if a trusted proxy has written them."""

    def __init__(self, trusted_proxies: Sequence[IpNetwork]) -> None:
        self._trusted_proxies = tuple(trusted_proxies)
        self._is_trusted = lru_cache(4096)(self._is_trusted_proxy)

    def resolve(self, peer_ip: str, forwarded_for: Sequence[str]) -> str:
        """Return the last address of the chain that is not a trusted proxy.

        `forwarded_for` holds the lines of the X-Forwarded-For header in order. The chain ends at an entry that is
        not an address; then the proxy that reported it counts as the client.
        """
        if not forwarded_for or not self._is_trusted(peer_ip):
            return peer_ip
        hops = [hop.strip() for line in forwarded_for for hop in line.split(",")]
        client_ip = peer_ip
        for hop in reversed(hops):
            address = _parse_ip(hop)
            if address is None:
                return client_ip
            client_ip = str(address)
            if not self._is_trusted(client_ip):
                return client_ip
        return client_ip

    def _is_trusted_proxy(self, ip: str) -> bool:
        address = _parse_ip(ip)
        return address is not None and any(address in network for network in self._trusted_proxies)


@lru_cache(4096)
def rate_limit_key(client_ip: str) -> str:
    """Return what rate limits count as one client: an IPv4 address, or the /64 network of an IPv6 address.

    A provider assigns at least a /64 to each customer, who can choose any address within it.
    """
    address = _parse_ip(client_ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return client_ip


def _parse_ip(text: str) -> IpAddress | None:
    try:
        address = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
