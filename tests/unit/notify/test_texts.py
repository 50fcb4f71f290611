"""What pushes say."""

from __future__ import annotations

import pytest

from parley.notify.push.notification_texts import wording


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Jane is waiting for somebody"),
        ("pt-BR", "Jane está aguardando atendimento"),
        ("es_MX", "Jane está esperando que le atiendan"),
        ("DE", "Jane wartet auf eine Antwort"),
        ("fr-CA", "Jane attend une réponse"),
        ("ja", "Jane is waiting for somebody"),
        ("", "Jane is waiting for somebody"),
    ],
)
def test_a_push_is_in_the_operators_language(language: str, title: str) -> None:
    assert wording(language, "pending", "Jane", "Hi", preview=True) == (title, "Hi")


def test_nobodys_name_and_a_picture_have_words_too() -> None:
    assert wording("en", "message", "", "", preview=True) == ("A visitor", "sent an image")


def test_a_name_is_put_in_and_never_read_as_a_pattern() -> None:
    assert wording("en", "message", "{name} {0.__class__}", "{x}", preview=True) == ("{name} {0.__class__}", "{x}")


def test_without_preview_neither_name_nor_text_is_told() -> None:
    assert wording("en", "message", "Jane", "secret", preview=False) == (
        "Live chat",
        "Something new in a conversation",
    )
