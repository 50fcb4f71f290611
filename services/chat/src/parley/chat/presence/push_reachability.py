"""Which operators a push notification would reach: those with a device, as notify knows them."""

from __future__ import annotations

from parley.chat.conversations.ports import TeamMembers
from parley.chat.presence.ports import ReachableOperators
from parley.chat.timeouts import REACHABILITY_CACHE_TTL_SECONDS
from parley.common.caching import InvalidatingCache


class PushReachability:
    """Asks notify about a site's chat operators. Without an answer no operator counts as reachable."""

    def __init__(self, team: TeamMembers, find_reachable: ReachableOperators) -> None:
        self._team = team
        self._find_reachable = find_reachable
        self._cache: InvalidatingCache[tuple[int, int], frozenset[int]] = InvalidatingCache(
            self._load, is_connected=lambda: True, ttl_seconds=REACHABILITY_CACHE_TTL_SECONDS
        )

    async def get(self, tenant_id: int, site_id: int) -> frozenset[int]:
        """Return the ids of the site's chat operators whom a push would reach."""
        return await self._cache.get((tenant_id, site_id))

    async def _load(self, key: tuple[int, int]) -> frozenset[int]:
        tenant_id, site_id = key
        members = await self._team.on_site(tenant_id, site_id)
        operator_ids = [member.id for member in members if member.may_chat_on(site_id)]
        return frozenset(await self._find_reachable(operator_ids) or ())
