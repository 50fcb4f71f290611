"""Authorization of callers per site: unknown and foreign sites are not found, own sites need the permission."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from parley.common.auth.identity import OperatorCaller
from parley.common.errors import NotFound


class SiteDirectory(Protocol):
    """Sites and their teams, which chat owns. Both methods raise Unavailable while chat cannot be reached."""

    async def get_tenant_id(self, site_id: int) -> int | None:
        """Return the tenant that owns the site; None if there is no such site."""

    async def chat_operators(self, site_id: int) -> frozenset[int]:
        """Return the ids of the operators who may chat on the site; empty if there is no such site."""


class SiteAccess:
    """Checks that a caller may use sites. Asks chat only about sites that are not in the caller's identity."""

    def __init__(self, sites: SiteDirectory) -> None:
        self._sites = sites

    async def check(self, caller: OperatorCaller, site_ids: Iterable[int]) -> None:
        """Return if the caller may use every site.

        Raises NotFound for a site of another tenant, before Forbidden for a site of the caller's tenant. Raises
        Unavailable if chat has to be asked and cannot be reached.
        """
        requested = list(site_ids)
        for site_id in requested:
            if site_id not in caller.sites and await self._sites.get_tenant_id(site_id) != caller.tenant_id:
                raise NotFound
        for site_id in requested:
            caller.authorize(caller.tenant_id, site_id)
