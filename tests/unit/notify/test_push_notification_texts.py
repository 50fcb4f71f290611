"""The texts of push notifications."""

from __future__ import annotations

import pytest

from parley.notify.push.notification_texts import render


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Jane is waiting for a reply"),
        ("pt-BR", "Jane está aguardando atendimento"),
        ("es_MX", "Jane está esperando que le atiendan"),
        ("DE", "Jane wartet auf eine Antwort"),
        ("fr-CA", "Jane attend une réponse"),
        ("ja", "Jane is waiting for a reply"),
        ("", "Jane is waiting for a reply"),
    ],
)
def test_a_push_is_in_the_operators_language(language: str, title: str) -> None:
    assert render(language, "pending", "Jane", "Hi", preview=True) == (title, "Hi")


def test_a_missing_name_and_an_image_have_default_texts() -> None:
    assert render("en", "message", "", "", preview=True) == ("A visitor", "sent an image")


def test_a_name_is_never_read_as_a_format_pattern() -> None:
    assert render("en", "message", "{name} {0.__class__}", "{x}", preview=True) == ("{name} {0.__class__}", "{x}")


def test_without_preview_the_push_contains_neither_name_nor_text() -> None:
    assert render("en", "message", "Jane", "secret", preview=False) == ("Live chat", "New activity in a conversation")
