"""The storage interface of the operator service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from parley.common.auth.identity import OperatorCaller
from parley.presence.operators.model import OperatorStatus


class OperatorRepository(Protocol):
    """One record for each operator and site. A write that is a transition also stores the transition's event."""

    async def record_heartbeat(
        self, caller: OperatorCaller, site_ids: Sequence[int], now: datetime, expires_at: datetime
    ) -> None:
        """Extend the records and bring offline ones online, except those set offline manually."""

    async def set_status(
        self, caller: OperatorCaller, site_id: int, now: datetime, expires_at: datetime | None
    ) -> OperatorStatus:
        """Set online until `expires_at`, or offline manually where it is None. Return the resulting status."""

    async def get_statuses(self, operator_id: int, site_ids: Sequence[int], now: datetime) -> list[OperatorStatus]:
        """Return the operator's status on each site, in the order of `site_ids`."""

    async def list_online_operators(self, site_id: int, now: datetime) -> list[int]:
        """Return the ids of the operators who are online on a site, sorted."""

    async def list_online_sites(self, tenant_id: int, operator_id: int) -> list[int]:
        """Return the sites whose record says that the operator is online, expired or not."""

    async def set_min_access_version(self, tenant_id: int, operator_id: int, version: int) -> None:
        """Ignore from now on heartbeats made with an older version of the operator's access."""

    async def set_offline(self, tenant_id: int, operator_id: int, site_ids: Sequence[int], now: datetime) -> None:
        """Take the operator offline on sites before their records expire."""

    async def expire_due(self, now: datetime) -> int:
        """Take one batch of expired records offline. Return how many were due; 0 when none remain."""

    async def count_online(self, now: datetime) -> int:
        """Count the records that are online."""
