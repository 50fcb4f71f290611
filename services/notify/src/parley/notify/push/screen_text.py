"""Sanitizes visitor text for a lock screen: one line, no invisible characters, no bidirectional overrides."""

from __future__ import annotations

import unicodedata
from typing import Final

_MAX_INSPECTED: Final = 4000
"""Characters of a text that are looked at."""

_JOINERS: Final = frozenset("\u034f\u200c\u200d")
_EMOJI_TAGS: Final = range(0xE0020, 0xE0080)
"""Spell a region after a black flag."""
_BLACK_FLAG: Final = "\U0001f3f4"
_BLANKS: Final = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and symbols that show nothing."""
_FIRST_STRONG_ISOLATE: Final = "\u2068"
_POP_DIRECTIONAL_ISOLATE: Final = "\u2069"
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})


def to_screen_line(text: str, max_length: int) -> str:
    """Return one line of what is visible in a text; empty if nothing is."""
    characters: list[str] = []
    for character in text[:_MAX_INSPECTED]:
        characters.append(_visible(character, characters))
    line = " ".join("".join(characters).split())
    if len(line) > max_length:
        line = line[: max_length - 1].rstrip(" " + "".join(_JOINERS)) + "…"
    return line if any(_shows_something(character) for character in line) else ""


def isolate(text: str) -> str:
    """Keep the direction of a right-to-left text from turning the sentence around it."""
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_DIRECTIONAL_ISOLATE}"
    return text


def _visible(character: str, before: list[str]) -> str:
    """Return the character, a space, or nothing."""
    category = unicodedata.category(character)
    if character in _BLANKS or category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    if character in _JOINERS or _is_variation_selector(character):
        # They join or shape what stands before them: emoji sequences, Persian and Indic words.
        return character if before and _shows_something(before[-1]) else ""
    if ord(character) in _EMOJI_TAGS:
        return character if before and (before[-1] == _BLACK_FLAG or ord(before[-1] or " ") in _EMOJI_TAGS) else ""
    # The rest of Cf turns directions or shows nothing. Lone surrogates, private use, unassigned: boxes.
    return "" if category[0] == "C" else character


def _shows_something(character: str) -> bool:
    if not character or character in _JOINERS or character in _BLANKS or _is_variation_selector(character):
        return False
    return not character.isspace() and unicodedata.category(character)[0] != "C"


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
