"""The sentences that Parley itself sends to visitors, by language: one file per language in `visitor_texts/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

from parley.common.languages import match_language


@dataclass(frozen=True, slots=True)
class LocaleStrings:
    """One language's sentences."""

    unknown_answer: str
    engine_failed: str
    handoff_requested: str
    team_offline: str
    outside_hours: str
    next_opening: str
    """When the site opens again, with `{day}` and `{time}`."""
    closing_soon: str
    """Before a conversation is closed because the visitor does not answer, with `{minutes}`."""
    weekdays: tuple[str, ...]
    """Monday first."""
    greeting: str
    """In reply to a greeting."""
    thanks: str
    """In reply to thanks."""
    visitor: str
    """The visitor as the author of a message, in what they read themselves."""
    assistant: str
    """The AI as the author of a message."""
    call_question: str
    """Asks for consent to what the lines above it describe."""
    call_done: str
    """After what the visitor has agreed to, with `{title}`."""
    call_failed: str
    ask_for_person: str
    """What a visitor who wants to talk to a person may choose to send."""
    transcript_subject: str
    """Of a conversation sent by e-mail, with `{name}`."""
    transcript_footer: str
    """Why its recipient gets it."""
    address_removed: str
    """In place of an address in a reply that no source has named."""


def _load_locales() -> dict[str, LocaleStrings]:
    """Read `visitor_texts/`. A text that a language lacks is English."""
    catalogues = {
        path.name.removesuffix(".json"): json.loads(path.read_text("utf-8"))
        for path in files("parley.chat").joinpath("visitor_texts").iterdir()
    }
    return {language: _to_strings({**catalogues["en"], **texts}) for language, texts in sorted(catalogues.items())}


def _to_strings(texts: dict[str, str]) -> LocaleStrings:
    weekdays = tuple(texts.pop(day) for day in _WEEKDAYS)
    return LocaleStrings(**texts, weekdays=weekdays)


_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

LOCALES = _load_locales()


def get_locale_strings(language: str | None) -> LocaleStrings:
    """The sentences in a language (BCP 47); in English for a language that is not supported."""
    return LOCALES[match_language(language, LOCALES) or "en"]


def is_supported(language: str | None) -> bool:
    """Whether there are sentences in a language (BCP 47)."""
    return match_language(language, LOCALES) is not None
