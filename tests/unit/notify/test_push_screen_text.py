"""Names and texts of strangers on a lock screen."""

from __future__ import annotations

import pytest

from parley.notify.push.notification_texts import render
from parley.notify.push.screen_text import isolate, to_screen_line

DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u180e\u200b\u2060\u2061\u2064\u2800\u3164\ufe0f\ufeff\uffa0\U000e0001\U000e0041"
)


@pytest.mark.parametrize("character", DIRECTIONS)
def test_direction_controls_are_removed(character: str) -> None:
    assert to_screen_line(f"{character}moc.{character}knab", 80) == "moc.knab"


@pytest.mark.parametrize("character", INVISIBLE + DIRECTIONS + "\x00\x1b\n\u2028\u3000\ud800")
def test_a_text_that_shows_nothing_is_empty(character: str) -> None:
    assert to_screen_line(f" {character * 3} {character}", 80) == ""


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f469\u200d\U0001f4bb writes",  # A woman with a laptop.
        "\u2764\ufe0f",  # A red heart.
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # The flag of England.
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a non-joiner.
        "1\ufe0f\u20e3",  # A keycap.
    ],
)
def test_what_shapes_a_visible_character_is_kept(text: str) -> None:
    assert to_screen_line(text, 80) == text


def test_a_text_is_one_line_and_is_not_cut_behind_a_joiner() -> None:
    assert to_screen_line("Hello\n\n there\x07\ttoo", 80) == "Hello there too"
    assert to_screen_line("ab\U0001f469\u200d\U0001f4bb and more", 5) == "ab\U0001f469…"


def test_a_right_to_left_name_does_not_turn_the_sentence_around_it() -> None:
    name = "\u0645\u0631\u064a\u0645"
    assert isolate(name) == f"\u2068{name}\u2069"
    assert isolate("Jane") == "Jane"
    title, _ = render("en", "transferred", name, "Hello", preview=True)
    assert title == f"\u2068{name}\u2069: transferred to you"
    assert render("en", "message", name, "Hello", preview=True)[0] == name


@pytest.mark.parametrize(
    ("kind", "body"), [("message", "sent an image"), ("pending", "New activity in a conversation")]
)
def test_only_a_message_without_text_is_an_image(kind: str, body: str) -> None:
    assert render("en", kind, "Jane", "", preview=True)[1] == body  # type: ignore[arg-type]
