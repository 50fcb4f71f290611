"""The entries of a site's domains that match an origin."""

from __future__ import annotations

import pytest

from parley.chat.sites.directory import matching_domains


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
def test_domains_that_match_an_origin(origin: str, domains: list[str]) -> None:
    assert matching_domains(origin) == domains
