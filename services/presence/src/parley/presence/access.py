"""Whether a caller may touch sites: another tenant's are not there, an own one without permission is refused."""

from __future__ import annotations

from collections.abc import Iterable

from parley.common.auth.identity import OperatorCaller
from parley.common.errors import NotFound
from parley.presence.ports import Sites


class Access:
    """Holds callers to their sites. Asks chat only about sites that are not the caller's own."""

    def __init__(self, sites: Sites) -> None:
        self._sites = sites

    async def check(self, caller: OperatorCaller, site_ids: Iterable[int]) -> None:
        """Pass when all sites are the caller's to use. Raises NotFound first, then Forbidden; Unavailable."""
        wanted = list(site_ids)
        for site_id in wanted:
            if site_id not in caller.sites and await self._sites.tenant_of(site_id) != caller.tenant_id:
                raise NotFound
        for site_id in wanted:
            caller.authorize(caller.tenant_id, site_id)
