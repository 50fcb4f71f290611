"""Recognizes what a visitor's text asks for without a model: a person, or nothing at all (a greeting, thanks).

The words of all languages are in `handoff_requests.toml`. Every pattern runs in linear time: repetitions are bounded,
and a text is truncated before it is searched.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_WORD = re.compile(r"[^\W\d_]+")

_MAX_SEARCHED_CHARACTERS = 500
_CLAUSE = re.compile(r"[.!?;,:\n。！？；，、؟،…]+|\b(?:but|sondern|aber|mais|sino|pero|mas|ma|maar)\b")
_NOTHING = "$^"
_SMALL_TALK_WORDS = 8
_SMALL_TALK_CHARACTERS = 80
_HELD_LETTER = re.compile(r"(\w)\1{2,}")
_WAVES = frozenset("👋🖐✋🙋🤗")
_THANKFUL_SIGNS = frozenset("👍🙏👌❤💕🎉😊🙂😀😄")


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """What is known of all languages."""

    languages: list[tuple[re.Pattern[str], re.Pattern[str]]]
    """The wishes of each language, and the negations before them."""
    negations_after: re.Pattern[str]
    greetings: frozenset[str]
    beside_greetings: frozenset[str]
    thanks: frozenset[str]
    beside_thanks: frozenset[str]
    gratitude: frozenset[str]
    thanked_for: frozenset[str]
    """Words that may accompany a word of gratitude."""


@cache
def _vocabulary() -> _Vocabulary:
    """Return the vocabulary, read and compiled at the first text: that takes a tenth of a start."""
    data = tomllib.loads(files("parley.chat").joinpath("handoff_requests.toml").read_text("utf-8"))
    return _Vocabulary(
        [_compile(language) for language in data["languages"]],
        re.compile("|".join(data["negations_after"])),
        **{name: frozenset(_plain_words(words)) for name, words in data["small_talk"].items()},
    )


def _compile(language: dict[str, Any]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return a language's wishes, and the negations before them."""
    wishes = [wish.replace("{after}", language.get("after", "")) for wish in language["wishes"]]
    if "people" in language:
        wishes += _short_wishes({name: "|".join(words) for name, words in language.items()})
    joined = "|".join(f"(?:{wish})" for wish in wishes)
    return re.compile(joined), re.compile("|".join(language["negations"]) or _NOTHING)


def _short_wishes(words: dict[str, str]) -> tuple[str, ...]:
    """Build the short wishes of a language from alternatives of words: "agent please", "I need a human"."""
    filler = rf"(?:(?:{words['before']}|{words['polite']}) ){{0,4}}"
    anybody = f"(?:{words['people']}|{words['desks']})"
    end = rf"(?=\W*$| (?:{words['polite']})\b)"
    return (
        rf"^\W*{filler}{anybody}(?: (?:{words['polite']})){{0,2}}\W*$",
        rf"\b(?:{words['asks']}) {filler}(?:{words['people']}){end}",
        rf"\b(?:{words['reaches']}) {filler}{anybody}{end}",
    )


def _plain_words(text: str) -> list[str]:
    """Words without case, accents and letters that are held for emphasis ("hellooo")."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall(
        _HELD_LETTER.sub(r"\1", "".join(c for c in plain if not unicodedata.category(c).startswith("M")))
    )


def _normalize(text: str) -> str:
    """The beginning of a text without case, accents in one form, with single spaces."""
    normalized = unicodedata.normalize("NFC", " ".join(text[: 2 * _MAX_SEARCHED_CHARACTERS].casefold().split()))
    return normalized[:_MAX_SEARCHED_CHARACTERS]


def requests_human(text: str) -> bool:
    """Whether a visitor's text asks for a person, in any language that is known; not if it says that none is wanted."""
    vocabulary = _vocabulary()
    for clause in map(str.strip, _CLAUSE.split(_normalize(text))):
        for wishes, negations in vocabulary.languages:
            match = wishes.search(clause)
            if match is None:
                continue
            negated = negations.search(clause[: match.end()]) or vocabulary.negations_after.search(
                clause[match.start() :]
            )
            if not negated:
                return True
    return False


def is_negated(text: str) -> bool:
    """Whether a text has a negation of any language."""
    vocabulary, normalized = _vocabulary(), _normalize(text)
    negations = (vocabulary.negations_after, *(negations for _, negations in vocabulary.languages))
    return any(pattern.search(normalized) for pattern in negations)


def is_greeting(text: str) -> bool:
    """Whether a text is a greeting and nothing else."""
    return _is_small_talk(text, _vocabulary().greetings, _vocabulary().beside_greetings, _WAVES)


def is_thanks(text: str) -> bool:
    """Whether a text is thanks, an "ok" or a farewell, and nothing else."""
    vocabulary = _vocabulary()
    accompanying = vocabulary.beside_thanks
    if not vocabulary.gratitude.isdisjoint(_plain_words(text[:_SMALL_TALK_CHARACTERS])):
        accompanying |= vocabulary.thanked_for
    return _is_small_talk(text, vocabulary.thanks | vocabulary.gratitude, accompanying, _THANKFUL_SIGNS)


def _is_small_talk(text: str, core: frozenset[str], accompanying: frozenset[str], signs: frozenset[str]) -> bool:
    """Whether a short text has words of `core`, other words only of `accompanying`; without words, a sign."""
    if len(text) > _SMALL_TALK_CHARACTERS:
        return False
    words = _plain_words(text)
    if not words:
        return not signs.isdisjoint(text) and not any(letter.isalnum() or letter == "?" for letter in text)
    return len(words) <= _SMALL_TALK_WORDS and not core.isdisjoint(words) and (core | accompanying).issuperset(words)
