"""Sites and their teams, asked of chat."""

from __future__ import annotations

from parley.common.auth.identity import Permission
from parley.common.messaging import Ask


class ChatSites:
    """The domain's `Sites`, over the broker."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def tenant_of(self, site_id: int) -> int | None:
        found = await self._ask("site", site_id=site_id)
        return None if found is None else int(found["tenant_id"])

    async def chatters_on(self, site_id: int) -> frozenset[int]:
        found = await self._ask("site_operators", site_id=site_id)
        if found is None:
            return frozenset()
        return frozenset(
            int(operator["operator_id"])
            for operator in found["operators"]
            if Permission.CHAT in operator["permissions"]
        )
