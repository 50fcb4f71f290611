"""Sites and their teams, read from chat over RPC."""

from __future__ import annotations

from parley.common.auth.identity import Permission
from parley.common.messaging import RpcClient


class RpcSiteDirectory:
    """Implements `SiteDirectory`."""

    def __init__(self, chat: RpcClient) -> None:
        self._chat = chat

    async def get_tenant_id(self, site_id: int) -> int | None:
        site = await self._chat("site", site_id=site_id)
        return None if site is None else int(site["tenant_id"])

    async def chat_operators(self, site_id: int) -> frozenset[int]:
        team = await self._chat("site_operators", site_id=site_id)
        if team is None:
            return frozenset()
        return frozenset(
            int(operator["operator_id"]) for operator in team["operators"] if Permission.CHAT in operator["permissions"]
        )
