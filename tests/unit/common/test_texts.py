"""The one rule for texts in requests."""

from __future__ import annotations

import unicodedata
from typing import Annotated

import pytest
from pydantic import AwareDatetime, Field

from parley.common.http import Query, RequestBody
from parley.common.texts import VERBATIM, clean_text, close_directions, shows_something

RLO, RLI, LRE, PDF, PDI = "\u202e", "\u2067", "\u202a", "\u202c", "\u2069"


class Body(RequestBody):
    text: str = ""
    texts: Annotated[list[str], Field(default_factory=list)]
    info: Annotated[dict[str, str], Field(default_factory=dict)]
    password: Annotated[str, VERBATIM] = ""
    at: AwareDatetime | None = None


class Filter(Query):
    search: str | None = None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00b", "ab"),
        ("a\x1b[31mb\x7f\x9b", "a[31mb"),
        ("tab\tand\r\nlines\n", "tab\tand\r\nlines\n"),
        ("\ufeffmark\uffff", "mark"),
        ("x\ud83dy", "x\ufffdy"),
        (unicodedata.normalize("NFD", "Zoé Å"), "Zoé Å"),
        ("family 👨‍👩‍👧 ❤️ 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", None),
        ("می‌خواهم", None),
        ("  spaces stay  ", None),
    ],
)
def test_a_text_is_cleaned(text: str, expected: str | None) -> None:
    assert clean_text(text) == (text if expected is None else expected)


@pytest.mark.parametrize(
    "text", ["", "   ", "\u200b", "\u2060\u200d", "\u3164", "\u2800 \u2800", "\u00ad", "\ufe0f", RLO + PDF]
)
def test_a_text_that_shows_nothing_is_empty(text: str) -> None:
    assert not shows_something(text)
    assert clean_text(text) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{RLO}moc.knab", f"{RLO}moc.knab{PDF}"),
        (f"a {RLI}b{LRE}c", f"a {RLI}b{LRE}c{PDF}{PDI}"),
        (f"{RLO}one\ntwo", f"{RLO}one{PDF}\ntwo"),
        (f"out{PDI}{PDF}side", "outside"),
        (f"{RLI}kept{PDI}", f"{RLI}kept{PDI}"),
    ],
)
def test_a_direction_ends_within_its_text(text: str, expected: str) -> None:
    assert close_directions(text) == expected
    assert clean_text(expected) == expected


def test_every_text_of_a_body_is_cleaned_except_passwords() -> None:
    body = Body.parse_json(
        b'{"text":"a\\u0000b","texts":["x\\u0000"],"info":{"k\\u0000":"v\\u0000"},"password":"p\\u0000e\\u0301",'
        b'"at":"2026-01-31T09:00:00Z"}'
    )
    assert (body.text, body.texts, body.info) == ("ab", ["x"], {"k": "v"})
    assert body.password == "p\x00e\u0301"
    assert body.at is not None


@pytest.mark.parametrize(
    ("escaped", "expected"),
    [(r"x\ud83dy", "x\ufffdy"), (r"\ude00", "\ufffd"), (r"\ud83d\ude00", "😀"), (r"\\ud83d", r"\ud83d")],
)
def test_half_of_a_surrogate_pair_is_replaced(escaped: str, expected: str) -> None:
    assert Body.parse_json(b'{"text":"%s"}' % escaped.encode()).text == expected


def test_the_texts_of_a_query_are_cleaned() -> None:
    assert Filter.model_validate({"search": "a\x00"}).search == "a"


def test_an_empty_body_has_no_fields() -> None:
    assert Body.parse_json(b" ") == Body.model_validate({})
