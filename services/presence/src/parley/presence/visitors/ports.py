"""The interfaces that the visitor service and the heartbeat buffer depend on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from parley.presence.visitors.model import ConversationSnapshot, Heartbeat, VisitorCursor, VisitorList, WidgetSighting


class HeartbeatSink(Protocol):
    """Accepts heartbeats and writes them later."""

    def add(self, heartbeat: Heartbeat) -> None:
        """Accept a heartbeat. Raises Unavailable while heartbeats cannot be written."""


class HeartbeatWriter(Protocol):
    """Writes heartbeats."""

    async def save_heartbeats(self, heartbeats: Sequence[Heartbeat]) -> None:
        """Write at most one heartbeat per visitor: extend the record, update the page, bring offline ones online.

        Also store where the widgets of their sites were seen.
        """


class VisitorRepository(Protocol):
    """One record for each visitor of a site. A write that is a transition also stores the transition's event."""

    async def list_online(
        self, site_ids: Sequence[int], now: datetime, limit: int, after: VisitorCursor | None
    ) -> VisitorList:
        """Return one page of the visitors online on the sites. Raises Unavailable until the schema is ready."""

    async def find_sighting(self, site_id: int) -> WidgetSighting | None:
        """Return when the site's widget was last seen on a page; None if never or long ago."""

    async def is_online(self, site_id: int, session: str, now: datetime) -> bool:
        """Return whether the visitor is online."""

    async def save_conversation(self, conversation: ConversationSnapshot, now: datetime) -> None:
        """Store the visitor's conversation unless a newer version or a newer conversation is stored."""

    async def expire_due(self, now: datetime) -> int:
        """Take one batch of expired records offline. Return how many were due; 0 when none remain."""

    async def count_online(self, now: datetime) -> int:
        """Count the visitors who are online."""

    async def get_personal_data(self, site_id: int, session: str) -> dict[str, Any] | None:
        """Return all that is stored of the visitor; None if there is nothing."""

    async def erase(self, site_id: int, session: str, now: datetime) -> None:
        """Take the visitor offline and empty their record. Does nothing without a record."""
