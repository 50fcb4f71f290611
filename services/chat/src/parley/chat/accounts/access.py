"""What an operator may touch, resolved afresh from what is kept: the answer that the gateway caches and signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from parley.chat.accounts.service import Access, Operator
from parley.common.auth.identity import OperatorCaller, Permission

EVERYTHING = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class OperatorAccess:
    """An operator and their sites: an owner's are all of the tenant's, others' those that still exist."""

    operator: Operator
    sites: Access


class TenantSites(Protocol):
    """Which sites a tenant has; deleted ones are not there any more."""

    async def ids_of(self, tenant_id: int) -> list[int]:
        """All of a tenant's."""

    async def existing(self, tenant_id: int, site_ids: Sequence[int]) -> list[int]:
        """Those of some that are the tenant's."""


@dataclass(frozen=True, slots=True)
class AccessBook:
    """Looks up what operators may touch."""

    sites: TenantSites

    async def of(self, operator: Operator) -> OperatorAccess:
        """The operator's sites and permissions now."""
        if operator.owner:
            everywhere = await self.sites.ids_of(operator.tenant_id)
            return OperatorAccess(operator, dict.fromkeys(everywhere, EVERYTHING))
        there = await self.sites.existing(operator.tenant_id, sorted(operator.access))
        return OperatorAccess(operator, {site_id: operator.access[site_id] for site_id in there})


def allow(caller: OperatorCaller, tenant_id: int, site_id: int, permission: Permission | None = None) -> None:
    """Hold a caller to a permission on a site. Raises NotFound for another tenant's, Forbidden.

    An owner may do everything on the tenant's sites, also on one made a moment ago that their signed identity does
    not list yet.
    """
    if not (caller.owner and caller.tenant_id == tenant_id):
        caller.needing(permission or caller.needs).authorize(tenant_id, site_id)
