"""The texts of push notifications."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from parley.notify.push.notification_texts import render

CATALOGUES: dict[str, dict[str, str]] = {
    path.name.removesuffix(".json"): json.loads(path.read_text("utf-8"))
    for path in files("parley.notify.push").joinpath("texts").iterdir()
}
PANEL = Path(__file__).parents[3] / "web/panel/src/i18n"


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Jane is waiting for a reply"),
        ("pt-BR", "Jane aguarda uma resposta"),
        ("es_MX", "Jane espera una respuesta"),
        ("DE", "Jane wartet auf eine Antwort"),
        ("fr-CA", "Jane attend une réponse"),
        ("ja-JP", "Jane さんが返信を待っています"),
        ("tlh", "Jane is waiting for a reply"),
        ("", "Jane is waiting for a reply"),
    ],
)
def test_a_push_is_in_the_operators_language(language: str, title: str) -> None:
    assert render(language, "pending", "Jane", "Hi", preview=True) == (title, "Hi")


def test_there_are_texts_in_each_language_of_the_panel() -> None:
    assert set(CATALOGUES) >= {path.name for path in PANEL.iterdir() if (path / "pages").is_dir()}


@pytest.mark.parametrize("language", CATALOGUES)
def test_texts_have_the_placeholders_of_english(language: str) -> None:
    english, texts = CATALOGUES["en"], CATALOGUES[language]
    assert list(texts) == sorted(texts), "sorted, so that changes of two people meet less often"
    assert set(texts) <= set(english), "a text that English lacks is nowhere shown"
    for key, text in texts.items():
        assert text.strip(), key
        assert re.findall(r"\{[^}]*\}", text) == re.findall(r"\{[^}]*\}", english[key]), key


def test_a_missing_name_and_an_image_have_default_texts() -> None:
    assert render("en", "message", "", "", preview=True) == ("A visitor", "sent an image")


def test_a_name_is_never_read_as_a_format_pattern() -> None:
    assert render("en", "message", "{name} {0.__class__}", "{x}", preview=True) == ("{name} {0.__class__}", "{x}")


def test_without_preview_the_push_contains_neither_name_nor_text() -> None:
    assert render("en", "message", "Jane", "secret", preview=False) == ("Live chat", "New activity in a conversation")
