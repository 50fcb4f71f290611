"""Visitors: online while their browser beats, seen by the operators of their site alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import Forbidden, Invalid
from parley.common.events.presence import OnlineVisitor
from parley.common.runtime.clock import Clock
from parley.presence import metrics
from parley.presence.access import Access
from parley.presence.model import Beat, OpenConversation, Place, Position
from parley.presence.ports import Sites, VisitorRecords
from parley.presence.visitors.heartbeat_buffer import Beats

Found = tuple[list[OnlineVisitor], Position | None]


class Visitors:
    """What visitors' browsers tell, and what operators may see of it."""

    def __init__(self, records: VisitorRecords, beats: Beats, sites: Sites, clock: Clock, online_seconds: int) -> None:
        self._records = records
        self._beats = beats
        self._access = Access(sites)
        self._clock = clock
        self.online_seconds = online_seconds

    def heartbeat(self, caller: VisitorCaller, place: Place) -> None:
        """Take a heartbeat; it is written a moment later, with others. Raises Unavailable."""
        now = self._clock()
        until = now + timedelta(seconds=self.online_seconds)
        self._beats.take(Beat(caller.tenant_id, caller.site_id, caller.session, place, now, until))
        metrics.HEARTBEATS.labels("visitor").inc()

    async def on_site(self, caller: OperatorCaller, site_id: int | None, limit: int, after: Position | None) -> Found:
        """Who is online on one site: the one named, or the only one that the caller has."""
        wanted = self._only_site(caller) if site_id is None else site_id
        await self._access.check(caller, [wanted])
        return await self._records.online([wanted], self._clock(), limit, after)

    async def everywhere(self, caller: OperatorCaller, limit: int, after: Position | None) -> Found:
        """Who is online on any of the caller's sites."""
        return await self._records.online(_allowed(caller), self._clock(), limit, after)

    async def is_online(self, site_id: int, session: str) -> bool:
        """Whether a visitor is online."""
        return await self._records.is_online(site_id, session, self._clock())

    async def conversation_changed(self, conversation: OpenConversation) -> None:
        """Show the visitor's open conversation beside them."""
        await self._records.converse(conversation, self._clock())

    async def kept(self, site_id: int, session: str) -> dict[str, Any] | None:
        """All that is kept of a visitor, as they may read it; None where nothing is."""
        return await self._records.kept(site_id, session)

    async def erase(self, site_id: int, session: str) -> None:
        """Empty a visitor's record. One who is still on the site comes online anew by their next heartbeat."""
        await self._records.erase(site_id, session, self._clock())

    async def expire(self) -> None:
        """Take offline everyone whose time is over."""
        while await self._records.expire(self._clock()):
            pass

    async def count(self) -> None:
        """Show how many are online."""
        metrics.ONLINE.labels("visitor").set(await self._records.count(self._clock()))

    def _only_site(self, caller: OperatorCaller) -> int:
        allowed = _allowed(caller)
        if len(allowed) != 1:
            raise Invalid({"site_id": "is required when you have more than one site"})
        return allowed[0]


def _allowed(caller: OperatorCaller) -> Sequence[int]:
    """The sites whose visitors the caller may see. Raises Forbidden when there are sites, and none of them is so."""
    if caller.sites and not caller.site_ids:
        raise Forbidden(f"This needs the permission {caller.needs} on a site.")
    return sorted(caller.site_ids)
