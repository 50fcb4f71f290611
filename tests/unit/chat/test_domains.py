"""Which entries of a site's domains take in an origin."""

from __future__ import annotations

import pytest

from parley.chat.sites.service import domains_of


@pytest.mark.parametrize(
    ("origin", "domains"),
    [
        ("https://shop.example.com", ["shop.example.com", "*.example.com", "*.com"]),
        ("HTTP://Shop.Example.com:8443", ["shop.example.com", "*.example.com", "*.com"]),
        ("http://localhost:3000", ["localhost"]),
        ("null", []),
        ("https://", []),
        ("file:///etc/passwd", []),
        ("http://[broken", []),
    ],
)
def test_an_origin_is_its_host_and_every_parent_below_a_star(origin: str, domains: list[str]) -> None:
    assert domains_of(origin) == domains
