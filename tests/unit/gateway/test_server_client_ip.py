"""Which address counts as the client's, and what rate limits count as one client."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from parley.gateway.server.client_ip import ClientIpResolver, rate_limit_key

TRUSTED_PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer_ip", "forwarded_for", "client_ip"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["1.2.3.4"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["9.9.9.9, 1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["9.9.9.9", "1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["1.2.3.4, 10.9.9.9"], "1.2.3.4"),
        ("10.0.0.1", ["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        ("10.0.0.1", ["1.2.3.4, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4, nonsense, 10.3.3.3"], "10.3.3.3"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("", ["1.2.3.4"], ""),
    ],
)
def test_only_entries_of_trusted_proxies_count(peer_ip: str, forwarded_for: list[str], client_ip: str) -> None:
    assert ClientIpResolver(TRUSTED_PROXIES).resolve(peer_ip, forwarded_for) == client_ip


def test_no_proxy_is_trusted_by_default() -> None:
    assert ClientIpResolver([]).resolve("10.0.0.1", ["1.2.3.4"]) == "10.0.0.1"


def test_ipv6_addresses_of_one_64_bit_network_share_a_rate_limit() -> None:
    assert rate_limit_key("2001:db8:1:2:3:4:5:6") == rate_limit_key("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert rate_limit_key("2001:db8:1:3::1") != rate_limit_key("2001:db8:1:2::1")
    assert rate_limit_key("203.0.113.9") == "203.0.113.9"
