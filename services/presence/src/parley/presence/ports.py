"""What the domain needs of the outside, as interfaces."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from parley.common.auth.identity import OperatorCaller
from parley.common.events.presence import OnlineVisitor
from parley.presence.model import Beat, OpenConversation, Position, Standing


class Sites(Protocol):
    """Sites and their teams, which chat owns. Both raise Unavailable while chat cannot be asked."""

    async def tenant_of(self, site_id: int) -> int | None:
        """Whose site it is; None where there is no such site."""

    async def chatters_on(self, site_id: int) -> frozenset[int]:
        """The operators who may chat on a site; none where there is no such site."""


class OperatorRecords(Protocol):
    """One record for each operator and site. Every change that is a transition leaves its event with it."""

    async def beat(self, caller: OperatorCaller, site_ids: Sequence[int], at: datetime, until: datetime) -> None:
        """Move the time of those records on, and bring online whose were not, save those set offline by hand."""

    async def set(self, caller: OperatorCaller, site_id: int, at: datetime, until: datetime | None) -> Standing:
        """Set online until a moment, or offline by hand with None; the standing afterwards."""

    async def standings(self, operator_id: int, site_ids: Sequence[int], at: datetime) -> list[Standing]:
        """How an operator stands on sites, in the order of the sites."""

    async def online_on(self, site_id: int, at: datetime) -> list[int]:
        """The operators who are online on a site, by id."""

    async def online_sites(self, tenant_id: int, operator_id: int) -> list[int]:
        """The sites on which an operator is held to be online."""

    async def outdate(self, tenant_id: int, operator_id: int, version: int) -> None:
        """From now on, ignore heartbeats that come with an older version of the operator's access."""

    async def remove(self, tenant_id: int, operator_id: int, site_ids: Sequence[int], at: datetime) -> None:
        """Take an operator offline on sites, whatever time they have left."""

    async def expire(self, at: datetime) -> int:
        """Take offline some of those whose time was over at a moment; how many were looked at, 0 when none is due."""

    async def count(self, at: datetime) -> int:
        """How many records are online."""


class VisitorRecords(Protocol):
    """One record for each visitor of a site. Every change that is a transition leaves its event with it."""

    async def beat(self, beats: Sequence[Beat]) -> None:
        """Write heartbeats, one a visitor at most: time moved on, page kept, those not online brought online."""

    async def online(
        self, site_ids: Sequence[int], at: datetime, limit: int, after: Position | None
    ) -> tuple[list[OnlineVisitor], Position | None]:
        """Who is online on sites, newest first, and where the list goes on."""

    async def is_online(self, site_id: int, session: str, at: datetime) -> bool:
        """Whether a visitor is online."""

    async def converse(self, conversation: OpenConversation, at: datetime) -> None:
        """Keep a visitor's conversation, unless what is kept is newer."""

    async def expire(self, at: datetime) -> int:
        """Take offline some of those whose time was over at a moment; how many were looked at, 0 when none is due."""

    async def count(self, at: datetime) -> int:
        """How many visitors are online."""

    async def kept(self, site_id: int, session: str) -> dict[str, Any] | None:
        """A visitor's record as it is; None where there is none."""

    async def erase(self, site_id: int, session: str, at: datetime) -> None:
        """Take a visitor offline and empty their record; nothing where there is none."""
