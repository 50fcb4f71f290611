"""Who may use something that operators share: only who made it, the operators of one site, or the whole team.

Canned replies, labels and saved views have such an audience. Those of a site are changed with the permission
`can_manage` there, those of the team by owners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from parley.chat.accounts.access import require_permission
from parley.chat.accounts.ports import SiteLookup
from parley.chat.conversations.ports import TeamMembers
from parley.chat.sites.errors import SiteNotFound
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.errors import Forbidden

Scope = Literal["mine", "site", "all"]
"""`mine`: only the operator who made it; `site`: the operators of one site; `all`: the whole team."""


def audience(scope: Scope, operator_id: int, site_id: int | None) -> str:
    """The name under which an audience is stored."""
    if scope == "mine":
        return f"operator:{operator_id}"
    return "all" if scope == "all" else f"site:{site_id}"


@dataclass(frozen=True, slots=True)
class Audiences:
    """Which audiences an operator belongs to, and which of them they may change things of."""

    sites: SiteLookup
    team: TeamMembers

    async def list_readable(self, caller: OperatorCaller, site_id: int | None = None) -> set[str]:
        """The audiences that the caller belongs to; of the sites, only one if it is given.

        Raises SiteNotFound, Forbidden.
        """
        if site_id is not None:
            await self.require_site(caller, site_id)
        site_ids = [site_id] if site_id is not None else await self._list_sites(caller)
        return {"all", f"operator:{caller.operator_id}", *(f"site:{one}" for one in site_ids)}

    async def require_change(self, caller: OperatorCaller, scope: Scope, site_id: int | None, what: str) -> None:
        """Check that the caller may change `what` ("the labels") of an audience. Raises SiteNotFound, Forbidden."""
        if scope == "all" and not caller.owner:
            raise Forbidden(f"Only an owner may change {what} of the whole team.")
        if scope == "site" and site_id is not None:
            await self.require_site(caller, site_id)
            require_permission(caller, caller.tenant_id, site_id, Permission.MANAGE)

    async def require_site(self, caller: OperatorCaller, site_id: int) -> None:
        """Raises SiteNotFound, Forbidden."""
        if not await self.sites.filter_existing(caller.tenant_id, [site_id]):
            raise SiteNotFound
        require_permission(caller, caller.tenant_id, site_id)

    async def exists(self, tenant_id: int, name: str) -> bool:
        """Whether the site or the operator of an audience still exists."""
        kind, _, number = name.partition(":")
        if kind == "site":
            return bool(await self.sites.filter_existing(tenant_id, [int(number)]))
        return kind != "operator" or await self.team.member(tenant_id, int(number)) is not None

    async def _list_sites(self, caller: OperatorCaller) -> Sequence[int]:
        # An owner's signed identity may not list a new site yet.
        return await self.sites.list_ids(caller.tenant_id) if caller.owner else list(caller.sites)
