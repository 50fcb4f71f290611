"""What presence knows of operators and visitors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Standing:
    """An operator on one site. `until` is when they go offline if no heartbeat comes; None while offline."""

    site_id: int
    online: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a visitor is, as their browser tells it."""

    page: str
    title: str | None = None
    referrer: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    """A visitor's heartbeat. The later `until` is also how the newer of two heartbeats is told."""

    tenant_id: int
    site_id: int
    session: str
    place: Place
    at: datetime
    until: datetime

    @property
    def key(self) -> str:
        """The visitor it is of."""
        return visitor_key(self.site_id, self.session)


@dataclass(frozen=True, slots=True)
class OpenConversation:
    """A visitor's conversation at one of its versions. `started` orders a visitor's conversations."""

    tenant_id: int
    site_id: int
    session: str
    conversation_id: int
    version: int
    started: datetime
    closed: bool


class Position(NamedTuple):
    """A row's place in the list of online visitors."""

    since: datetime
    key: str


def visitor_key(site_id: int, session: str) -> str:
    """What a visitor's record is called."""
    return f"{site_id}:{session}"
