"""Visitor presence: online while the browser sends heartbeats, visible to the operators of the site only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import Forbidden, ValidationFailed
from parley.common.runtime.clock import Clock
from parley.presence import metrics
from parley.presence.site_access import SiteAccess, SiteDirectory
from parley.presence.visitors.model import ConversationSnapshot, Heartbeat, PageInfo, VisitorCursor, VisitorList
from parley.presence.visitors.ports import HeartbeatSink, VisitorRepository


class VisitorService:
    """Use cases of visitors. `online_seconds` is the time to live of a heartbeat."""

    def __init__(
        self,
        repository: VisitorRepository,
        heartbeats: HeartbeatSink,
        sites: SiteDirectory,
        clock: Clock,
        *,
        online_seconds: int,
    ) -> None:
        self._repository = repository
        self._heartbeats = heartbeats
        self._access = SiteAccess(sites)
        self._clock = clock
        self.online_seconds = online_seconds

    def record_heartbeat(self, caller: VisitorCaller, page: PageInfo, origin: str | None) -> None:
        """Accept a heartbeat, to be written in the next batch. Raises Unavailable.

        `origin` is the page's scheme and host, which is stored for the site and not for the visitor.
        """
        now = self._clock()
        expires_at = now + timedelta(seconds=self.online_seconds)
        self._heartbeats.add(Heartbeat(caller.tenant_id, caller.site_id, caller.session, page, now, expires_at, origin))
        metrics.HEARTBEATS.labels("visitor").inc()

    async def list_on_site(
        self, caller: OperatorCaller, site_id: int | None, limit: int, after: VisitorCursor | None
    ) -> VisitorList:
        """List the visitors who are online on one site.

        `site_id` may be None if the caller has exactly one site. Raises ValidationFailed, NotFound, Forbidden,
        Unavailable.
        """
        requested = self._only_site(caller) if site_id is None else site_id
        await self._access.check(caller, [requested])
        page = await self._repository.list_online([requested], self._clock(), limit, after)
        return replace(page, widget=await self._repository.find_sighting(requested))

    async def list_on_all_sites(self, caller: OperatorCaller, limit: int, after: VisitorCursor | None) -> VisitorList:
        """List the visitors who are online on any of the caller's sites. Raises Forbidden, Unavailable."""
        return await self._repository.list_online(_visible_sites(caller), self._clock(), limit, after)

    async def is_online(self, site_id: int, session: str) -> bool:
        """Return whether the visitor is online."""
        return await self._repository.is_online(site_id, session, self._clock())

    async def update_conversation(self, conversation: ConversationSnapshot) -> None:
        """Show the visitor's open conversation in the visitor list."""
        await self._repository.save_conversation(conversation, self._clock())

    async def get_personal_data(self, site_id: int, session: str) -> dict[str, Any] | None:
        """Return all that is stored of a visitor, in a form the visitor can read; None if there is nothing."""
        return await self._repository.get_personal_data(site_id, session)

    async def erase(self, site_id: int, session: str) -> None:
        """Empty a visitor's record. A visitor who is still on the site comes online again with the next heartbeat."""
        await self._repository.erase(site_id, session, self._clock())

    async def expire_overdue(self) -> None:
        """Take offline every visitor whose last heartbeat has expired."""
        while await self._repository.expire_due(self._clock()):
            pass

    async def update_online_metric(self) -> None:
        """Set the gauge of online visitors."""
        metrics.ONLINE.labels("visitor").set(await self._repository.count_online(self._clock()))

    def _only_site(self, caller: OperatorCaller) -> int:
        site_ids = _visible_sites(caller)
        if len(site_ids) != 1:
            raise ValidationFailed({"site_id": "is required when you have more than one site"})
        return site_ids[0]


def _visible_sites(caller: OperatorCaller) -> Sequence[int]:
    """Return the sites whose visitors the caller may see. Raises Forbidden if they have sites but may see none."""
    if caller.sites and not caller.site_ids:
        raise Forbidden(f"This needs the permission {caller.required_permission} on a site.")
    return sorted(caller.site_ids)
