"""Operators and tenants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from parley.chat.audit.model import AuditActor
from parley.chat.invitations.model import Invitation
from parley.common.auth.identity import Permission

SitePermissions = Mapping[int, frozenset[Permission]]
"""Permissions by site id. An operator with no permissions on a site is still a member of its team."""

ALL_PERMISSIONS = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class Operator:
    """A member of a tenant's team. `version` grows with every change of the account."""

    id: int
    tenant_id: int
    email: str | None
    """Lower case, and unique in the tenant; None once the operator was removed."""
    name: str
    password_hash: str | None = field(repr=False)
    created_at: datetime
    owner: bool = False
    suspended: bool = False
    removed_at: datetime | None = None
    language: str = "en"
    access: SitePermissions = field(default_factory=dict)
    version: int = 1
    password_version: int = 1
    """Sessions created under another version are invalid: the write that sets a new password, or ends all sessions,
    increments it."""
    retained_session_id: str | None = None
    """The session in which the password was last changed, which stays valid."""
    invitation: Invitation | None = None
    capacity: int | None = None
    """Open conversations above which the operator is assigned no more; None for the default of the site."""

    @property
    def active(self) -> bool:
        """Whether the operator can log in and be assigned conversations."""
        return not self.suspended and self.removed_at is None

    @property
    def is_active_owner(self) -> bool:
        """Whether the operator counts as an owner of the tenant. An invited owner does not until they accept."""
        return self.owner and self.active and self.password_hash is not None

    @property
    def login_name(self) -> str:
        """Names the account in the counts of failed logins: its address may have accounts of other tenants."""
        return f"operator:{self.id}"

    @property
    def audit_actor(self) -> AuditActor:
        """The operator as the actor of an audit entry, where the change has no caller."""
        return AuditActor(self.tenant_id, self.id, self.name)


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organisation that owns sites and operators. `owners` are the ids of its active owners."""

    id: int
    name: str
    owners: tuple[int, ...] = ()


def permissions_on(operator: Operator, site_id: int) -> frozenset[Permission]:
    """Return the operator's permissions on a site of their tenant: all of them for an owner."""
    return ALL_PERMISSIONS if operator.owner else operator.access.get(site_id, frozenset())


def serialize_permissions(access: SitePermissions) -> dict[str, list[Permission]]:
    """Convert permissions by site to plain JSON: keys are site ids as text, each list in the order of Permission."""
    return {str(site_id): [one for one in Permission if one in permissions] for site_id, permissions in access.items()}
