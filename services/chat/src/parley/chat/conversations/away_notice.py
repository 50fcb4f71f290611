"""The notice to a visitor who asks for a person when none is available: outside business hours, or none reachable."""

from __future__ import annotations

from datetime import datetime, timedelta

from parley.chat.presence.ports import PresenceReader
from parley.chat.site_texts.originals import find_translation
from parley.chat.sites.business_hours import OpenStatus
from parley.chat.sites.chatbot import DEFAULT_OFFLINE_MESSAGE
from parley.chat.sites.site_settings import SiteSettings
from parley.chat.system_messages import LocaleStrings, get_locale_strings, is_supported

_SIX_DAYS = timedelta(days=6)
"""Within this span the name of a weekday identifies the day."""


async def find_away_notice(
    site: SiteSettings, language: str | None, presence: PresenceReader, at: datetime
) -> str | None:
    """The notice, in the visitor's language if it is supported. None within business hours if one is reachable."""
    opening = site.opening(at)
    if opening.open and await is_anyone_reachable(site, presence):
        return None
    return build_away_notice(site, language, opening, at)


async def is_anyone_reachable(site: SiteSettings, presence: PresenceReader) -> bool:
    """Whether an operator is online, or has a device that gets a push when a visitor waits."""
    if await presence.operators_online(site.id):
        return True
    return site.notifies_when_pending and bool(await presence.operators_with_device(site.tenant_id, site.id))


def build_away_notice(site: SiteSettings, language: str | None, opening: OpenStatus, at: datetime) -> str:
    """Build the notice: the site's own offline message if it has one, then when the site opens again.

    The message is its approved translation, if there is one. Otherwise a default text in the visitor's language is
    added if that differs from the site's language.
    """
    strings = get_locale_strings(language if is_supported(language) else site.language)
    general = strings.team_offline if opening.open else strings.outside_hours
    translation = find_translation(site, "offline_message", language)
    own = translation or site.offline_message.strip()
    if own == DEFAULT_OFFLINE_MESSAGE:
        own = ""
    foreign = (
        translation is None
        and is_supported(language)
        and not _is_same_language(language or site.language, site.language)
    )
    sentences = [own, general if not own or (foreign and not translation) else "", _next_opening(strings, opening, at)]
    return " ".join(sentence for sentence in sentences if sentence)


def _next_opening(strings: LocaleStrings, opening: OpenStatus, at: datetime) -> str:
    opens_at = opening.opens_at
    if opens_at is None:
        return ""
    day = strings.weekdays[opens_at.weekday()]
    if opens_at - at > _SIX_DAYS:
        day = f"{day}, {opens_at:%Y-%m-%d}"
    return strings.next_opening.format(day=day, time=f"{opens_at:%H:%M} ({opens_at.tzinfo})")


def _is_same_language(one: str, other: str) -> bool:
    return one.split("-", maxsplit=1)[0].lower() == other.split("-", maxsplit=1)[0].lower()
