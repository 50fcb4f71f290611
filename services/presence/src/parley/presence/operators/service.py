"""Operators: online while any of their devices beats, offline by hand until they say otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Unavailable
from parley.common.observability.logging import logger
from parley.common.runtime.clock import Clock
from parley.presence import metrics
from parley.presence.access import Access
from parley.presence.model import Standing
from parley.presence.ports import OperatorRecords, Sites

log = logger(__name__)


class Operators:
    """What operators do about being there, and what becomes of them when they fall silent."""

    def __init__(self, records: OperatorRecords, sites: Sites, clock: Clock, online_seconds: int) -> None:
        self._records = records
        self._sites = sites
        self._access = Access(sites)
        self._clock = clock
        self.online_seconds = online_seconds

    async def heartbeat(self, caller: OperatorCaller, site_ids: Sequence[int]) -> None:
        """Online on all of these sites, save where set offline by hand; on none if one of them is refused."""
        wanted = list(dict.fromkeys(site_ids))
        await self._access.check(caller, wanted)
        now = self._clock()
        await self._records.beat(caller, wanted, now, now + timedelta(seconds=self.online_seconds))
        metrics.HEARTBEATS.labels("operator").inc()

    async def set_status(self, caller: OperatorCaller, site_id: int, *, online: bool) -> Standing:
        """Online at once, or offline until set online again; the standing afterwards."""
        await self._access.check(caller, [site_id])
        now = self._clock()
        until = now + timedelta(seconds=self.online_seconds) if online else None
        return await self._records.set(caller, site_id, now, until)

    async def status(self, caller: OperatorCaller, site_id: int | None) -> list[Standing]:
        """How the caller stands on a site, or on all of theirs."""
        if site_id is not None:
            await self._access.check(caller, [site_id])
        wanted = sorted(caller.site_ids) if site_id is None else [site_id]
        return await self._records.standings(caller.operator_id, wanted, self._clock())

    async def online_on(self, site_id: int) -> list[int]:
        """The operators who are online on a site."""
        return await self._records.online_on(site_id, self._clock())

    async def access_changed(self, tenant_id: int, operator_id: int, version: int, *, suspended: bool) -> None:
        """Offline at once wherever the operator may not chat any more."""
        await self._records.outdate(tenant_id, operator_id, version)
        online = await self._records.online_sites(tenant_id, operator_id)
        lost = online if suspended else [site for site in online if not await self._may_chat(operator_id, site)]
        if lost:
            await self._records.remove(tenant_id, operator_id, lost, self._clock())

    async def expire(self) -> None:
        """Take offline everyone whose time is over."""
        while await self._records.expire(self._clock()):
            pass

    async def count(self) -> None:
        """Show how many are online."""
        metrics.ONLINE.labels("operator").set(await self._records.count(self._clock()))

    async def _may_chat(self, operator_id: int, site_id: int) -> bool:
        try:
            return operator_id in await self._sites.chatters_on(site_id)
        except Unavailable:
            # Without access no more heartbeats come through the gateway, so the record's time ends it soon anyway.
            log.warning("access_left_to_time", site_id=site_id)
            return True
