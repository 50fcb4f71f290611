"""What triggers need from storage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from parley.chat.triggers.model import ShownTrigger, TriggerCounts
from parley.chat.visitors.model import DataSubject


class ShownTriggers(Protocol):
    """To whom triggers were shown, and how many on each day.

    The counts are statistics: after a crash between both writes, one is missing.
    """

    async def record_shown(self, visitor: DataSubject, shown: ShownTrigger, not_since: datetime | None) -> bool:
        """Record that a visitor is shown a trigger. False if that was so after `not_since`; None: at any time.

        On one day, a visitor counts once.
        """

    async def record_opened(self, visitor: DataSubject, trigger_id: int) -> bool:
        """False if the visitor was not shown the trigger, or has opened it before."""

    async def record_answered(self, visitor: DataSubject, trigger_id: int) -> bool:
        """False if the visitor was not shown the trigger, or has answered it before."""

    async def find(self, visitor: DataSubject, trigger_id: int, since: datetime) -> ShownTrigger | None:
        """Return what a visitor was shown of a trigger since a time."""

    async def list_counts(self, site_id: int, since: date) -> Sequence[TriggerCounts]:
        """Return the counts of a site's triggers, by day."""
