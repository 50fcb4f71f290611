"""What visitors are told when nobody can come: in their language, with the site's own words, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from parley.chat.conversations.away_notice import notice
from parley.chat.i18n import _LANGUAGES
from parley.chat.sites.business_hours import ALWAYS_OPEN, Hours, Span
from parley.chat.sites.chatbot import Chatbot
from parley.chat.sites.service import Site

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)  # A Saturday.
OFFICE = Hours("Europe/Berlin", tuple(Span(day, 9 * 60, 18 * 60) for day in range(5)))


def told(language: str | None, *, at: datetime = NOW, site_language: str = "en", **chatbot: object) -> str:
    bot = replace(Chatbot(hours=OFFICE), **chatbot)  # type: ignore[arg-type]
    site = Site(1, 1, "Shop", "pk", NOW, language=site_language, chatbot=bot).settings
    return notice(site, language, site.opening(at), at)


@pytest.mark.parametrize("language", _LANGUAGES)
def test_in_every_language_a_visitor_hears_that_it_is_closed_and_until_when(language: str) -> None:
    words = told(language)
    phrases = _LANGUAGES[language]
    assert words.startswith(phrases.closed)
    assert phrases.days[0] in words
    assert "09:00 (Europe/Berlin)" in words
    assert "mail" in words.casefold() or "correo" in words, "they are asked for an address"


def test_in_english_it_reads_so() -> None:
    assert told("en-GB") == (
        "We are closed right now. Leave your e-mail address and we will write back to you. "
        "We are here again on Monday at 09:00 (Europe/Berlin)."
    )


def test_who_has_said_no_language_is_told_in_the_sites() -> None:
    assert told(None, site_language="de").startswith("Wir haben gerade geschlossen.")


def test_within_hours_it_is_only_that_nobody_is_here() -> None:
    assert told("de", hours=None) == _LANGUAGES["de"].nobody_there
    site = Site(1, 1, "Shop", "pk", NOW, chatbot=Chatbot(hours=OFFICE)).settings
    assert notice(site, "en", ALWAYS_OPEN, NOW) == _LANGUAGES["en"].nobody_there


def test_the_sites_own_words_come_first_and_say_it_all_in_its_own_language() -> None:
    words = told("en-US", offline_message="Call 555-0100 if it burns.")
    assert words == "Call 555-0100 if it burns. We are here again on Monday at 09:00 (Europe/Berlin)."


def test_who_reads_another_language_is_told_in_it_as_well() -> None:
    words = told("de-AT", offline_message="Call 555-0100 if it burns.")
    assert words.startswith("Call 555-0100 if it burns. Wir haben gerade geschlossen.")
    assert words.endswith("Wir sind am Montag um 09:00 (Europe/Berlin) wieder da.")
    in_german = told("ja", offline_message="Rufen Sie an.", site_language="de")
    assert in_german.startswith("Rufen Sie an. Wir sind am Montag"), "Parley speaks no Japanese: the site's own, then"


def test_what_is_more_than_a_week_away_has_its_date() -> None:
    holidays = tuple(date(2026, 11, 23) + timedelta(days=number) for number in range(12))
    words = told("en", hours=replace(OFFICE, closed=holidays))
    assert "on Monday, 2026-12-07 at 09:00" in words
