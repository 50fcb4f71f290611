"""What accounts need from storage and from password hashing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from parley.chat.accounts.model import Operator, Tenant
from parley.chat.audit.model import AuditedEvent


class OperatorRepository(Protocol):
    async def get(self, tenant_id: int, operator_id: int) -> Operator:
        """Raises OperatorNotFound, also for an operator who was removed."""

    async def find(self, operator_id: int) -> Operator | None:
        """Find an operator of any tenant, also a removed one. Only for the internal API."""

    async def list_by_email(self, email: str) -> Sequence[Operator]:
        """List the accounts with this e-mail address, at most one of each tenant, the oldest first."""

    async def find_by_invitation(self, token_hash: str) -> Operator | None: ...

    async def add(self, operator: Operator, audited: AuditedEvent) -> None:
        """Raises EmailTaken if a member of the same tenant has the e-mail address."""

    async def save(
        self, before: Operator, after: Operator, audited: AuditedEvent, *, revoke_api_keys: bool = False
    ) -> None:
        """Replace `before` by `after`, and delete the operator's API keys in the same write where that is asked.

        Raises EditConflict if the stored version is not that of `before`.
        """


class TenantRepository(Protocol):
    async def get(self, tenant_id: int) -> Tenant:
        """Raises NotFound."""

    async def add(self, tenant: Tenant, *, first: bool = False) -> Tenant:
        """Store a tenant and return it. With `first`, return the installation's first tenant if it exists already."""

    async def add_owner(self, tenant_id: int, operator_id: int) -> None: ...

    async def remove_owner(self, tenant_id: int, operator_id: int) -> bool:
        """Remove an active owner. Returns False, and changes nothing, if no other active owner would remain."""


class SiteLookup(Protocol):
    """Which sites a tenant has; deleted sites do not count."""

    async def list_ids(self, tenant_id: int) -> list[int]: ...

    async def filter_existing(self, tenant_id: int, site_ids: Sequence[int]) -> list[int]:
        """Return those of `site_ids` that are sites of the tenant."""


class PasswordHasher(Protocol):
    """Hashes and verifies passwords, a limited number at a time."""

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Wait for permission to verify a password. Raises Unavailable if too many callers wait already."""

    async def hash(self, password: str, same_salt_as: str | None = None) -> str:
        """Hash a password, in a slot of its own; with the salt of another hash if one is given. Raises Unavailable."""

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Check a password against a hash, within a slot. Takes the same time, and returns False, for None."""

    async def verify_each(self, password_hashes: Sequence[str | None], password: str) -> list[bool]:
        """Check a password against several hashes, within a slot. Takes the time of one if they have the same salt."""
