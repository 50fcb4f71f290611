"""What operators see of a visitor's page: no query, no fragment, no credentials, unless the site keeps a parameter."""

from __future__ import annotations

import pytest

from parley.presence.visitors.model import PageInfo
from parley.presence.visitors.page import build_page_info, clean_url


@pytest.mark.parametrize(
    ("url", "kept", "shown"),
    [
        ("https://shop.example/reset?token=SECRET#at=FRAGMENT", (), "https://shop.example/reset"),
        ("https://shop.example/?q=a&token=SECRET&q=b", ("q",), "https://shop.example/?q=a&q=b"),
        ("https://shop.example/?token=SECRET", ("q",), "https://shop.example/"),
        ("https://user:SECRET@shop.example/a", (), "https://shop.example/a"),
        ("https://shop.example/ä;x=1", (), "https://shop.example/ä;x=1"),
        ("https://[::1", (), None),
        ("https://shop.example/?" + "a&" * 5000, ("a",), None),
    ],
)
def test_page_url_is_shown_without_secrets(url: str, kept: tuple[str, ...], shown: str | None) -> None:
    assert clean_url(url, kept) == shown


def test_referrer_never_keeps_parameters() -> None:
    page = build_page_info(
        "https://shop.example/?q=a",
        "Title",
        "https://idp.example/login?q=CODE",
        "de",
        tracking=True,
        kept_parameters=("q",),
    )
    assert page == PageInfo("https://shop.example/?q=a", "Title", "https://idp.example/login", "de")


def test_site_without_page_tracking_stores_the_language_only() -> None:
    page = build_page_info(
        "https://shop.example/", "Title", "https://a.example/", "de", tracking=False, kept_parameters=()
    )
    assert page == PageInfo(None, None, None, "de")
