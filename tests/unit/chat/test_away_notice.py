"""The notice to visitors when no operator is available: its language, the site's own words, and the next opening."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from parley.chat.conversations.away_notice import build_away_notice
from parley.chat.sites.business_hours import ALWAYS_OPEN, BusinessHours, TimeRange
from parley.chat.sites.chatbot import ChatbotSettings
from parley.chat.sites.model import Site
from parley.chat.system_messages import LOCALES

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)  # A Saturday.
HOURS = BusinessHours("Europe/Berlin", tuple(TimeRange(day, 9 * 60, 18 * 60) for day in range(5)))


def build(language: str | None, *, at: datetime = NOW, site_language: str = "en", **chatbot: object) -> str:
    bot = replace(ChatbotSettings(hours=HOURS), **chatbot)  # type: ignore[arg-type]
    site = Site(1, 1, "Shop", "pk", NOW, language=site_language, chatbot=bot).settings
    return build_away_notice(site, language, site.opening(at), at)


@pytest.mark.parametrize("language", LOCALES)
def test_outside_hours_the_notice_says_when_the_site_opens_in_every_language(language: str) -> None:
    notice = build(language)
    strings = LOCALES[language]
    assert notice.startswith(strings.outside_hours)
    assert strings.weekdays[0] in notice
    assert "09:00 (Europe/Berlin)" in notice


def test_notice_in_english() -> None:
    assert build("en-GB") == (
        "We are closed right now. Leave your e-mail address and we will write back to you. "
        "We are here again on Monday at 09:00 (Europe/Berlin)."
    )


def test_without_a_visitors_language_the_sites_language_is_used() -> None:
    assert build(None, site_language="de").startswith("Wir haben gerade geschlossen.")


def test_within_hours_the_notice_says_only_that_the_team_is_offline() -> None:
    assert build("de", hours=None) == LOCALES["de"].team_offline
    site = Site(1, 1, "Shop", "pk", NOW, chatbot=ChatbotSettings(hours=HOURS)).settings
    assert build_away_notice(site, "en", ALWAYS_OPEN, NOW) == LOCALES["en"].team_offline


def test_the_sites_own_message_replaces_the_general_one_in_its_own_language() -> None:
    notice = build("en-US", offline_message="Call 555-0100 if it burns.")
    assert notice == "Call 555-0100 if it burns. We are here again on Monday at 09:00 (Europe/Berlin)."


def test_the_general_message_follows_the_sites_own_for_another_language() -> None:
    notice = build("de-AT", offline_message="Call 555-0100 if it burns.")
    assert notice.startswith("Call 555-0100 if it burns. Wir haben gerade geschlossen.")
    assert notice.endswith("Wir sind am Montag um 09:00 (Europe/Berlin) wieder da.")
    unsupported = build("tlh", offline_message="Rufen Sie an.", site_language="de")
    assert unsupported.startswith("Rufen Sie an. Wir sind am Montag"), "the site's language for an unsupported one"


def test_an_opening_after_more_than_a_week_has_its_date() -> None:
    holidays = tuple(date(2026, 11, 23) + timedelta(days=number) for number in range(12))
    notice = build("en", hours=replace(HOURS, closed=holidays))
    assert "on Monday, 2026-12-07 at 09:00" in notice
