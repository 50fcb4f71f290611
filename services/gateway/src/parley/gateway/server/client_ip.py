"""The client's IP address: the peer of the connection, or the address that a trusted proxy reports."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from parley.common.observability.logging import get_logger
from parley.gateway import metrics

log = get_logger(__name__)

_UNTRUSTED_PROXY_HINT = (
    "X-Forwarded-For was ignored. If this is your proxy, add its network to PARLEY_TRUSTED_PROXIES; until then all "
    "clients behind it count as one."
)

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

    def is_trusted(self, peer_ip: str) -> bool:
        """Return whether a peer is a trusted proxy."""
        return self._is_trusted(peer_ip)

    def _is_trusted_proxy(self, ip: str) -> bool:
        address = _parse_ip(ip)
        return address is not None and any(address in network for network in self._trusted_proxies)


class UntrustedProxyWarning:
    """Warns, once for each kind of network, about a peer that reports clients but is not a trusted proxy.

    It may be a proxy that `trusted_proxies` does not name: then all clients count as one, and share its limits. It may
    also be a client that forges the header, so each request is counted and only the first is logged.
    """

    def __init__(self) -> None:
        self._warned: set[str] = set()

    def record(self, peer_ip: str) -> None:
        """Count a request, and log the first."""
        address = _parse_ip(peer_ip)
        network = "private" if address is not None and address.is_private else "public"
        metrics.UNTRUSTED_PROXY_REQUESTS.labels(network).inc()
        if network not in self._warned:
            self._warned.add(network)
            # A public address may be a visitor's, which logs do not contain.
            peer = peer_ip if network == "private" else None
            log.warning("untrusted_proxy", network=network, peer=peer, hint=_UNTRUSTED_PROXY_HINT)


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
