"""Operator presence: online while any device sends heartbeats, or offline manually until set online again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Unavailable
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock
from parley.presence import metrics
from parley.presence.operators.model import OperatorStatus
from parley.presence.operators.ports import OperatorRepository
from parley.presence.site_access import SiteAccess, SiteDirectory

log = get_logger(__name__)


class OperatorService:
    """Use cases of operators. `online_seconds` is the time to live of a heartbeat."""

    def __init__(
        self, repository: OperatorRepository, sites: SiteDirectory, clock: Clock, *, online_seconds: int
    ) -> None:
        self._repository = repository
        self._sites = sites
        self._access = SiteAccess(sites)
        self._clock = clock
        self.online_seconds = online_seconds

    async def record_heartbeat(self, caller: OperatorCaller, site_ids: Sequence[int]) -> None:
        """Keep the caller online on all the sites, except those set offline manually.

        Changes nothing if one site is refused. Raises NotFound, Forbidden, Unavailable.
        """
        unique_site_ids = list(dict.fromkeys(site_ids))
        await self._access.check(caller, unique_site_ids)
        now = self._clock()
        expires_at = now + timedelta(seconds=self.online_seconds)
        await self._repository.record_heartbeat(caller, unique_site_ids, now, expires_at)
        metrics.HEARTBEATS.labels("operator").inc()

    async def set_status(self, caller: OperatorCaller, site_id: int, *, online: bool) -> OperatorStatus:
        """Set the caller online now, or offline until set online again. Raises NotFound, Forbidden, Unavailable."""
        await self._access.check(caller, [site_id])
        now = self._clock()
        expires_at = now + timedelta(seconds=self.online_seconds) if online else None
        return await self._repository.set_status(caller, site_id, now, expires_at)

    async def get_statuses(self, caller: OperatorCaller, site_id: int | None) -> list[OperatorStatus]:
        """Return the caller's status on one site, or on all their sites. Raises NotFound, Forbidden, Unavailable."""
        if site_id is not None:
            await self._access.check(caller, [site_id])
        site_ids = sorted(caller.site_ids) if site_id is None else [site_id]
        return await self._repository.get_statuses(caller.operator_id, site_ids, self._clock())

    async def list_online(self, site_id: int) -> list[int]:
        """Return the ids of the operators who are online on a site."""
        return await self._repository.list_online_operators(site_id, self._clock())

    async def apply_access_change(self, tenant_id: int, operator_id: int, version: int, *, suspended: bool) -> None:
        """Take the operator offline where they may no longer chat: on every site if suspended."""
        await self._repository.set_min_access_version(tenant_id, operator_id, version)
        online = await self._repository.list_online_sites(tenant_id, operator_id)
        lost = online if suspended else [site for site in online if not await self._may_chat(operator_id, site)]
        if lost:
            await self._repository.set_offline(tenant_id, operator_id, lost, self._clock())

    async def expire_overdue(self) -> None:
        """Take offline every operator whose last heartbeat has expired."""
        while await self._repository.expire_due(self._clock()):
            pass

    async def update_online_metric(self) -> None:
        """Set the gauge of online operators."""
        metrics.ONLINE.labels("operator").set(await self._repository.count_online(self._clock()))

    async def _may_chat(self, operator_id: int, site_id: int) -> bool:
        try:
            return operator_id in await self._sites.chat_operators(site_id)
        except Unavailable:
            # The gateway accepts no more heartbeats without access, so the record expires soon in any case.
            log.warning("access_check_skipped_record_expires", site_id=site_id)
            return True
