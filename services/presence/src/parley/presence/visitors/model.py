"""Visitors' heartbeats, pages and conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from parley.common.events.presence import OnlineVisitor


@dataclass(frozen=True, slots=True)
class PageInfo:
    """The page a visitor is on, as reported by their browser. No URL if the site does not track pages."""

    url: str | None
    title: str | None = None
    referrer: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One heartbeat of a visitor. Of two heartbeats, the one with the later `expires_at` is the newer."""

    tenant_id: int
    site_id: int
    session: str
    page: PageInfo
    received_at: datetime
    expires_at: datetime
    origin: str | None = None
    """Scheme and host of the page; None where it says nothing about the site's pages."""

    @property
    def visitor_key(self) -> str:
        """The id of the visitor's record."""
        return visitor_key(self.site_id, self.session)


@dataclass(frozen=True, slots=True)
class WidgetSighting:
    """When and on which origin a site's widget was last seen."""

    seen_at: datetime
    origin: str


@dataclass(frozen=True, slots=True)
class ConversationSnapshot:
    """One version of a visitor's conversation. Of two conversations, the one with the later `started_at` is current."""

    tenant_id: int
    site_id: int
    session: str
    conversation_id: int
    version: int
    started_at: datetime
    closed: bool


@dataclass(frozen=True, slots=True)
class VisitorCursor:
    """The last row of a page of the visitor list; the next page starts after it."""

    since: datetime
    visitor_key: str


@dataclass(frozen=True, slots=True)
class VisitorList:
    """One page of online visitors, newest first. `next_cursor` is None on the last page."""

    visitors: Sequence[OnlineVisitor]
    next_cursor: VisitorCursor | None
    widget: WidgetSighting | None = None
    """Of the list of one site."""


def visitor_key(site_id: int, session: str) -> str:
    """Return the id of a visitor's record."""
    return f"{site_id}:{session}"
