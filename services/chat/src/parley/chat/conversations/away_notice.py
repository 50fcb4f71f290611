"""What visitors are told when they are to be handed over and nobody can come: closed, or nobody is online."""

from __future__ import annotations

from datetime import datetime, timedelta

from parley.chat.conversations.ports import SiteSettings, Whereabouts
from parley.chat.i18n import Phrases, phrases_for, speaks
from parley.chat.sites.business_hours import Opening
from parley.chat.sites.chatbot import OFFLINE_MESSAGE

_WEEK = timedelta(days=6)


async def absence(site: SiteSettings, language: str | None, whereabouts: Whereabouts, at: datetime) -> str | None:
    """The notice, in the visitor's language where Parley speaks it; None where somebody is online in working hours."""
    opening = site.opening(at)
    if opening.open and await whereabouts.operators_online(site.id):
        return None
    return notice(site, language, opening, at)


def notice(site: SiteSettings, language: str | None, opening: Opening, at: datetime) -> str:
    """The site's own words first, where it has any; then what those cannot say: it in the visitor's language, and when
    the team is there again.
    """
    phrases = phrases_for(language if speaks(language) else site.language)
    general = phrases.nobody_there if opening.open else phrases.closed
    own = site.offline_message.strip()
    if own == OFFLINE_MESSAGE:
        own = ""
    foreign = speaks(language) and not _same_language(language or site.language, site.language)
    sentences = [own, general if foreign or not own else "", _opens(phrases, opening, at)]
    return " ".join(sentence for sentence in sentences if sentence)


def _opens(phrases: Phrases, opening: Opening, at: datetime) -> str:
    moment = opening.opens_at
    if moment is None:
        return ""
    day = phrases.days[moment.weekday()]
    if moment - at > _WEEK:
        day = f"{day}, {moment:%Y-%m-%d}"
    return phrases.opens.format(day=day, time=f"{moment:%H:%M} ({moment.tzinfo})")


def _same_language(one: str, other: str) -> bool:
    return one.split("-", maxsplit=1)[0].lower() == other.split("-", maxsplit=1)[0].lower()
