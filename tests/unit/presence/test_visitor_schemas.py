"""Validation of the visitor heartbeat body."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from parley.presence.visitors.schemas import VisitorHeartbeatBody

PAGE = "https://shop.example/cart?x=1#top"


@pytest.mark.parametrize("page", [PAGE, "http://localhost:8080", "HTTPS://Shop.example/ä", "http://[::1]/"])
def test_http_url_is_accepted_as_page(page: str) -> None:
    assert VisitorHeartbeatBody(page=page).page == page


@pytest.mark.parametrize(
    "page",
    [
        "",
        "shop.example",
        "//shop.example/",
        "ftp://shop.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https:///x",
        "https://a b/",
        "https://shop.example/\n",
        " https://shop.example/",
        "https://\\evil/",
    ],
)
def test_other_values_are_refused_as_page(page: str) -> None:
    with pytest.raises(ValidationError):
        VisitorHeartbeatBody(page=page)


def test_long_texts_are_truncated() -> None:
    long = PAGE + "a" * 4000
    body = VisitorHeartbeatBody(page=long, referrer=long, title="ä" * 400)
    assert (body.page, body.referrer, body.title) == (long[:2048], long[:2048], "ä" * 300)


@pytest.mark.parametrize("referrer", ["", "android-app://com.example", "javascript:alert(1)", None])
def test_invalid_referrer_is_dropped(referrer: str | None) -> None:
    assert VisitorHeartbeatBody(page=PAGE, referrer=referrer).referrer is None


@pytest.mark.parametrize(("title", "expected"), [("", None), (" \n ", None), ("a\x00\nb", "a b"), (" Cart ", "Cart")])
def test_title_is_reduced_to_one_line(title: str, expected: str | None) -> None:
    assert VisitorHeartbeatBody(page=PAGE, title=title).title == expected


@pytest.mark.parametrize("lang", ["de", "de-AT", "zh-Hant-TW", "", None])
def test_language_tag_is_accepted(lang: str | None) -> None:
    assert VisitorHeartbeatBody(page=PAGE, lang=lang).lang == lang


@pytest.mark.parametrize("lang", ["de_AT", "-de", "de-", "a" * 36, "de\n"])
def test_invalid_language_tag_is_refused(lang: str) -> None:
    with pytest.raises(ValidationError):
        VisitorHeartbeatBody(page=PAGE, lang=lang)
