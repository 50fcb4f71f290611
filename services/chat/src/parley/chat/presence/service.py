"""Presence as chat uses it.

Operators' presence is kept in a read model, so that lists do not depend on another service. Whether a visitor is
online is asked at the one moment it matters, and must be exact then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from parley.chat.presence.ports import OnlineOperatorRepository, PresenceClient
from parley.chat.presence.push_reachability import PushReachability


@dataclass(frozen=True, slots=True)
class PresenceService:
    """A PresenceReader, and the consumer of presence's events."""

    operators: OnlineOperatorRepository
    ask_presence: PresenceClient
    push_reach: PushReachability

    async def operators_online(self, site_id: int) -> frozenset[int]:
        return await self.operators.list_online(site_id)

    async def operators_with_device(self, tenant_id: int, site_id: int) -> frozenset[int]:
        return await self.push_reach.get(tenant_id, site_id)

    async def visitor_online(self, site_id: int, session: str) -> bool:
        reply = await self.ask_presence("visitor_online", site_id=site_id, session=session)
        return bool(reply and reply["online"])

    async def record_operator(self, site_id: int, operator_id: int, at: datetime, *, online: bool) -> None:
        await self.operators.record(site_id, operator_id, at, online=online)
