"""Triggers, which of them a visitor may be shown now, and what is counted of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from parley.chat.triggers.timeouts import MIN_BETWEEN_VISITS
from parley.common.events.schemas import QuickReply

MAX_TRIGGERS_PER_SITE = 30

Visitors = Literal["all", "new", "returning"]
Hours = Literal["any", "open", "closed"]
Operators = Literal["any", "online", "offline"]
Frequency = Literal["visit", "visitor", "interval"]
Step = Literal["shown", "opened", "answered"]


@dataclass(frozen=True, slots=True)
class TriggerDraft:
    """A rule and its message. A visitor has to meet all conditions; each default asks for nothing."""

    name: str
    message: str
    enabled: bool = False
    include_pages: tuple[str, ...] = ()
    """Patterns of addresses, of which a page has to match one; none: every page."""
    exclude_pages: tuple[str, ...] = ()
    seconds: int = 0
    """How long the visitor has been on the page."""
    scroll_percent: int = 0
    exit_intent: bool = False
    visitors: Visitors = "all"
    hours: Hours = "any"
    operators: Operators = "any"
    languages: tuple[str, ...] = ()
    """Primary subtags, such as `pt`; none: every language."""
    frequency: Frequency = "visit"
    interval_hours: int = 24
    """With the frequency `interval`: how long it is not shown again."""
    quick_replies: tuple[QuickReply, ...] = ()

    def accepts_language(self, tag: str | None) -> bool:
        return not self.languages or (tag or "").split("-", maxsplit=1)[0].lower() in self.languages

    @property
    def pause(self) -> timedelta | None:
        """How long after it was shown a visitor is not shown it again; None: never again.

        The widget knows when a visit ends; a shorter pause cannot be another visit.
        """
        pauses = {"visit": MIN_BETWEEN_VISITS, "interval": timedelta(hours=self.interval_hours)}
        return pauses.get(self.frequency)

    @property
    def visible_conditions(self) -> dict[str, Any]:
        """The conditions that the widget checks: the others depend on what only the server knows."""
        return {
            "include_pages": list(self.include_pages),
            "exclude_pages": list(self.exclude_pages),
            "seconds": self.seconds,
            "scroll_percent": self.scroll_percent,
            "exit_intent": self.exit_intent,
            "visitors": self.visitors,
            "languages": list(self.languages),
            "frequency": self.frequency,
            "interval_hours": self.interval_hours,
        }


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger of a site. Of those whose conditions are met at the same time, the first in the list is shown."""

    id: int
    draft: TriggerDraft
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ShownTrigger:
    """That a visitor was shown a trigger: the last time, and what they saw then."""

    trigger_id: int
    message: str
    shown_at: datetime
    opened: bool = False
    answered: bool = False
    quick_replies: tuple[QuickReply, ...] = ()


@dataclass(frozen=True, slots=True)
class TriggerCounts:
    """How many visitors were shown a trigger on a day (UTC), and how many of them opened the chat and answered."""

    trigger_id: int
    day: date
    shown: int = 0
    opened: int = 0
    answered: int = 0


def list_live(triggers: Iterable[Trigger]) -> tuple[Trigger, ...]:
    return tuple(trigger for trigger in triggers if trigger.draft.enabled)


def live_version(triggers: Iterable[Trigger]) -> str:
    """Identify what the widget knows of a site's live triggers; empty without any."""
    live: list[Mapping[str, Any]] = [{"id": one.id, **one.draft.visible_conditions} for one in list_live(triggers)]
    if not live:
        return ""
    return hashlib.sha256(json.dumps(live, sort_keys=True).encode()).hexdigest()[:12]
