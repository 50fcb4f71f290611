"""Which sites an operator has access to, and the check of a permission on a site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from parley.chat.accounts.errors import NotWithApiKey
from parley.chat.accounts.model import ALL_PERMISSIONS, Operator, SitePermissions
from parley.chat.accounts.ports import SiteLookup
from parley.common.auth.identity import OperatorCaller, Permission


@dataclass(frozen=True, slots=True)
class OperatorAccess:
    """An operator and their permissions by site: on all sites of the tenant for an owner, never on deleted sites."""

    operator: Operator
    sites: SitePermissions
    api_key_id: int | None = None
    """The API key that is used; None for a login."""
    key_expires_at: datetime | None = None
    key_scopes: frozenset[Permission] | None = None
    """Those of the API key; None for a login, and for a key that may do all that the operator may."""


@dataclass(frozen=True, slots=True)
class AccessResolver:
    """Resolves an operator's access from what is stored. The gateway caches and signs the result."""

    sites: SiteLookup

    async def resolve(self, operator: Operator) -> OperatorAccess:
        """Return the operator's current sites and permissions."""
        if operator.owner:
            site_ids = await self.sites.list_ids(operator.tenant_id)
            return OperatorAccess(operator, dict.fromkeys(site_ids, ALL_PERMISSIONS))
        site_ids = await self.sites.filter_existing(operator.tenant_id, sorted(operator.access))
        return OperatorAccess(operator, {site_id: operator.access[site_id] for site_id in site_ids})

    async def resolve_caller(self, operator: Operator, client_ip: str) -> OperatorCaller:
        """Build a caller for an operator, outside of any request of theirs."""
        access = await self.resolve(operator)
        return OperatorCaller(
            operator.id,
            operator.tenant_id,
            operator.name,
            access.sites,
            owner=operator.owner,
            access_version=operator.version,
            language=operator.language,
            client_ip=client_ip,
        )


def require_login(caller: OperatorCaller) -> None:
    """Check that the caller has logged in: an API key must not make or change credentials. Raises NotWithApiKey."""
    if caller.api_key_id is not None:
        raise NotWithApiKey


def require_permission(
    caller: OperatorCaller, tenant_id: int, site_id: int, permission: Permission | None = None
) -> None:
    """Check that the caller has a permission on a site; by default the one that the route requires.

    An owner has every permission on the tenant's sites, including a new site that the signed identity does not list
    yet. Raises NotFound for another tenant's site, Forbidden.
    """
    if not (caller.owner and caller.tenant_id == tenant_id):
        caller.with_required_permission(permission or caller.required_permission).authorize(tenant_id, site_id)
