"""Operators and tenants as they are, and what people do with accounts of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from parley.chat.accounts.login_throttling import LoginGuard
from parley.chat.accounts.passwords import Passwords
from parley.chat.audit.service import Audit, Source, Told
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.errors import Conflict, Invalid, NotFound
from parley.common.events import Actor, new_event
from parley.common.events.team import OperatorAccessChanged
from parley.common.runtime.clock import Clock

NextId = Callable[[], Awaitable[int]]
Access = Mapping[int, frozenset[Permission]]
"""Permissions by site. A site without any is still the operator's: they are on its team."""


class OperatorNotFound(NotFound):
    code = "not_found"


class EmailTaken(Conflict):
    code = "email_taken"
    sentence = "There is an account with this e-mail address already."


class ChangedMeanwhile(Conflict):
    """Somebody changed the same thing at the same time; nothing was written."""

    code = "changed_meanwhile"
    sentence = "Somebody else changed this at the same moment. Please try again."


@dataclass(frozen=True, slots=True)
class Invitation:
    """A way in that was sent to somebody who has no password yet. Only the token's hash is kept."""

    token_hash: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Operator:
    """A member of a tenant's team. `version` grows with every change of what they may do."""

    id: int
    tenant_id: int
    email: str | None
    """Lower-cased, and one account's alone; None once the operator was removed."""
    name: str
    password_hash: str | None = field(repr=False)
    created_at: datetime
    owner: bool = False
    suspended: bool = False
    removed_at: datetime | None = None
    language: str = "en"
    access: Access = field(default_factory=dict)
    version: int = 1
    password_version: int = 1
    """Sessions begun under another are over: a new password ends them in the write that sets it."""
    kept_session: str | None = None
    """The session in which the password was changed; it goes on."""
    invitation: Invitation | None = None

    @property
    def active(self) -> bool:
        """May log in and be handed conversations."""
        return not self.suspended and self.removed_at is None

    @property
    def acts_as_owner(self) -> bool:
        """Whether a tenant may count on them: who was invited does not, until they have a password."""
        return self.owner and self.active and self.password_hash is not None

    @property
    def source(self) -> Source:
        """The operator as who did something, where no caller stands for them."""
        return Source(self.tenant_id, self.id, self.name)


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who a set of sites and operators belongs to. `owners` are those who may act as such now."""

    id: int
    name: str
    owners: tuple[int, ...] = ()


class OperatorStore(Protocol):
    """Where operators are kept."""

    async def get(self, tenant_id: int, operator_id: int) -> Operator:
        """Raises OperatorNotFound, also for those who were removed."""

    async def find(self, operator_id: int) -> Operator | None:
        """Any tenant's: for the gateway's errands alone."""

    async def by_email(self, email: str) -> Operator | None:
        """The one account with an address."""

    async def by_invitation(self, token_hash: str) -> Operator | None:
        """Who was invited with a token."""

    async def add(self, operator: Operator, told: Told) -> None:
        """Raises EmailTaken."""

    async def save(self, before: Operator, after: Operator, told: Told) -> None:
        """Write a change of what was read as `before`. Raises ChangedMeanwhile."""


class TenantStore(Protocol):
    """Where tenants are kept."""

    async def get(self, tenant_id: int) -> Tenant:
        """Raises NotFound."""

    async def add(self, tenant: Tenant, *, first: bool = False) -> Tenant:
        """Keep a tenant. Of those marked first there is one alone: asked again, the one there is comes back."""

    async def drop(self, tenant_id: int) -> None:
        """Forget a tenant that never had an operator."""

    async def add_owner(self, tenant_id: int, operator_id: int) -> None:
        """Count an owner."""

    async def drop_owner(self, tenant_id: int, operator_id: int) -> bool:
        """Count one owner less. False, and nothing done, where no other would be left."""


async def told_of(
    audit: Audit,
    caller: OperatorCaller | Source,
    after: Operator,
    action: str,
    details: Mapping[str, Any] | None = None,
    *,
    site_id: int | None = None,
) -> Told:
    """What a change of an operator tells: caches are to drop them, and the audit log says who did it."""
    entry = await audit.entry(caller, action, f"operator:{after.id}", site_id, details)
    data = OperatorAccessChanged(
        operator_id=after.id, version=after.version, suspended=after.suspended or after.removed_at is not None
    )
    actor = (
        Actor(kind="system")
        if entry.operator_id is None
        else Actor(kind="operator", id=entry.operator_id, name=entry.operator_name)
    )
    return Told(new_event(data, tenant_id=after.tenant_id, site_id=0, actor=actor, at=entry.at), entry)


@dataclass(frozen=True, slots=True)
class Accounts:
    """An account's own side: who I am, my name and language, my password; and how tenants begin."""

    operators: OperatorStore
    tenants: TenantStore
    passwords: Passwords
    guard: LoginGuard
    audit: Audit
    next_operator_id: NextId
    next_tenant_id: NextId
    clock: Clock

    async def me(self, caller: OperatorCaller) -> Operator:
        """The caller's own account."""
        return await self.operators.get(caller.tenant_id, caller.operator_id)

    async def tenant(self, caller: OperatorCaller) -> Tenant:
        """The caller's tenant."""
        return await self.tenants.get(caller.tenant_id)

    async def change_profile(self, caller: OperatorCaller, name: str | None, language: str | None) -> Operator:
        """Set the caller's name or language; None leaves it. Raises ChangedMeanwhile."""
        before = await self.me(caller)
        after = replace(
            before, name=name or before.name, language=language or before.language, version=before.version + 1
        )
        told = await told_of(
            self.audit, caller, after, "account.updated", {"name": after.name, "language": after.language}
        )
        await self.operators.save(before, after, told)
        return after

    async def change_password(self, caller: OperatorCaller, current: str, new: str) -> None:
        """Set a new password and end every other session. Raises Invalid where the current one is wrong, TooMany."""
        fresh = await self.passwords.hash(new)
        async with self.passwords.place():
            before = await self.me(caller)
            await self._confirm(before, current, caller.address)
        after = replace(
            before,
            password_hash=fresh,
            password_version=before.password_version + 1,
            kept_session=caller.session_id,
            version=before.version + 1,
        )
        told = await told_of(self.audit, caller, after, "account.password_changed")
        await self.operators.save(before, after, told)

    async def _confirm(self, operator: Operator, password: str, address: str) -> None:
        email = operator.email or ""
        await self.guard.check(email, address)
        if not await self.passwords.fits(operator.password_hash, password):
            await self.guard.failed(email, address)
            raise Invalid({"current_password": "is not your present password"})
        await self.guard.succeeded(email)

    async def create_tenant(self, name: str, owner_email: str, password: str, owner_name: str) -> Operator:
        """A new tenant and its first owner. Raises EmailTaken."""
        tenant = await self.tenants.add(Tenant(await self.next_tenant_id(), name))
        try:
            return await self._add_owner(tenant, owner_email, password, owner_name)
        except EmailTaken:
            await self.tenants.drop(tenant.id)
            raise

    async def ensure_first_owner(self, name: str, owner_email: str, password: str, owner_name: str) -> None:
        """The installation's first tenant and owner, once for all replicas and starts, whatever became of them."""
        tenant = await self.tenants.add(Tenant(await self.next_tenant_id(), name), first=True)
        if tenant.owners:
            return
        try:
            await self._add_owner(tenant, owner_email, password, owner_name)
        except EmailTaken:
            # Another replica was faster, or a start was cut between the two writes.
            found = await self.operators.by_email(owner_email.lower())
            if found is not None and found.tenant_id == tenant.id:
                await self.tenants.add_owner(tenant.id, found.id)

    async def _add_owner(self, tenant: Tenant, email: str, password: str, name: str) -> Operator:
        operator = Operator(
            id=await self.next_operator_id(),
            tenant_id=tenant.id,
            email=email.lower(),
            name=name,
            password_hash=await self.passwords.hash(password),
            created_at=self.clock(),
            owner=True,
        )
        told = await told_of(self.audit, Source(tenant.id), operator, "tenant.created", {"owner": name})
        await self.operators.add(operator, told)
        await self.tenants.add_owner(tenant.id, operator.id)
        return operator
