"""An operator's own account: profile and password; and the creation of tenants with their first owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from parley.chat.accounts.access import AccessResolver, OperatorAccess, require_login
from parley.chat.accounts.errors import EmailTaken, TeamChoiceRequired
from parley.chat.accounts.events import access_changed_event
from parley.chat.accounts.login_throttling import LoginOrigin, LoginThrottle
from parley.chat.accounts.model import Operator, Tenant
from parley.chat.accounts.password_policy import require_acceptable
from parley.chat.accounts.passwords import hash_password
from parley.chat.accounts.ports import OperatorRepository, PasswordHasher, TenantRepository
from parley.chat.audit.model import AuditActor
from parley.chat.audit.service import AuditService
from parley.chat.ids import NextId
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Forbidden, ValidationFailed
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class AccountService:
    operators: OperatorRepository
    tenants: TenantRepository
    access_resolver: AccessResolver
    passwords: PasswordHasher
    login_throttle: LoginThrottle
    audit: AuditService
    next_operator_id: NextId
    next_tenant_id: NextId
    clock: Clock

    async def get_account(self, caller: OperatorCaller) -> Operator:
        return await self.operators.get(caller.tenant_id, caller.operator_id)

    async def get_access(self, caller: OperatorCaller, operator: Operator) -> OperatorAccess:
        """Return the caller's current permissions by site: those of a scoped API key are fewer than its operator's."""
        if caller.api_key_scopes is not None:
            return OperatorAccess(replace(operator, owner=False), caller.sites)
        return await self.access_resolver.resolve(operator)

    async def get_tenant(self, caller: OperatorCaller) -> Tenant:
        return await self.tenants.get(caller.tenant_id)

    async def update_profile(self, caller: OperatorCaller, name: str | None, language: str | None) -> Operator:
        """Set the caller's name or language; None leaves a field unchanged. Raises EditConflict."""
        before = await self.get_account(caller)
        after = replace(
            before, name=name or before.name, language=language or before.language, version=before.version + 1
        )
        details = {"name": after.name, "language": after.language}
        audited = await access_changed_event(self.audit, caller, after, "account.updated", details)
        await self.operators.save(before, after, audited)
        return after

    async def change_password(
        self, caller: OperatorCaller, current: str, new: str, *, revoke_api_keys: bool = False
    ) -> None:
        """Set a new password and end every other session of the caller; on request their API keys as well.

        Raises ValidationFailed if `current` is wrong or `new` too weak, NotWithApiKey, LoginDelayed, LoginBlocked,
        Unavailable, EditConflict.
        """
        require_login(caller)
        email = (await self.get_account(caller)).email
        await require_acceptable(new, "new_password", email)
        async with self.passwords.slot():
            before = await self.get_account(caller)
            await self._verify_current_password(caller, before, current)
        # After the check: a hash takes a core and memory, which nobody gets by guessing.
        after = replace(
            before,
            password_hash=await hash_password(self.operators, self.passwords, before.email, new),
            password_version=before.password_version + 1,
            retained_session_id=caller.login_session_id,
            version=before.version + 1,
        )
        details = {"revoked_api_keys": revoke_api_keys}
        audited = await access_changed_event(
            self.audit, caller, after, "account.password_changed", details, sessions_ended=True
        )
        await self.operators.save(before, after, audited, revoke_api_keys=revoke_api_keys)
        await self._delete_known_origins(caller, before)

    async def end_all_sessions(self, caller: OperatorCaller, *, revoke_api_keys: bool = False) -> None:
        """End every session of the caller, the current one too; on request their API keys as well.

        Raises NotWithApiKey, EditConflict.
        """
        require_login(caller)
        before = await self.get_account(caller)
        after = replace(
            before,
            # Sessions belong to a version of the password: all of the version before have ended.
            password_version=before.password_version + 1,
            retained_session_id=None,
            version=before.version + 1,
        )
        details = {"revoked_api_keys": revoke_api_keys}
        audited = await access_changed_event(
            self.audit, caller, after, "account.sessions_ended", details, sessions_ended=True
        )
        await self.operators.save(before, after, audited, revoke_api_keys=revoke_api_keys)
        await self._delete_known_origins(caller, before)

    async def _delete_known_origins(self, caller: OperatorCaller, operator: Operator) -> None:
        """Forget the devices from which the operator has logged in, except where the caller is now."""
        await self.login_throttle.delete_known_origins(operator.login_name)
        await self.login_throttle.remember_client_ip(operator.login_name, caller.client_ip)

    async def _verify_current_password(self, caller: OperatorCaller, operator: Operator, password: str) -> None:
        # Counted by login session: strangers who guess cannot keep the operator from changing the password.
        account = f"change-password:{operator.id}:{caller.login_session_id}"
        origin = LoginOrigin(caller.client_ip)
        await self.login_throttle.admit([account], origin)
        if not await self.passwords.verify(operator.password_hash, password):
            await self.login_throttle.record_failure([account], origin)
            raise ValidationFailed({"current_password": "is not your current password"})
        await self.login_throttle.record_success(account, origin)

    async def impersonate(self, operator: str, client_ip: str) -> OperatorCaller:
        """Return the caller for work that an administrator does on behalf of an operator, given by address or id.

        Raises Forbidden if there is none who is active, TeamChoiceRequired if an address has several.
        """
        matches = [await self.operators.find(int(operator))] if operator.isdecimal() else await self._list(operator)
        active = [one for one in matches if one is not None and one.active]
        if not active:
            raise Forbidden
        if len(active) > 1:
            raise TeamChoiceRequired(ids=[one.id for one in active])
        return await self.access_resolver.resolve_caller(active[0], client_ip)

    async def _list(self, email: str) -> Sequence[Operator]:
        return await self.operators.list_by_email(email.strip().lower())

    async def create_tenant(self, name: str, owner_email: str, password: str, owner_name: str) -> Operator:
        """Create a tenant and its first owner, who is returned.

        Raises ValidationFailed, and EmailTaken if the address has an account anywhere: a creator of tenants
        administers the installation, and may know.
        """
        await require_acceptable(password, "password", owner_email)
        if await self._list(owner_email):
            raise EmailTaken
        tenant = await self.tenants.add(Tenant(await self.next_tenant_id(), name))
        return await self._add_owner(tenant, owner_email, password, owner_name)

    async def ensure_first_owner(self, name: str, owner_email: str, password: str, owner_name: str) -> None:
        """Create the installation's first tenant and its owner unless that was ever done.

        Safe to call from all replicas at the same time. Does not restore an owner who was changed or removed since.
        """
        tenant = await self.tenants.add(Tenant(await self.next_tenant_id(), name), first=True)
        if tenant.owners:
            return
        try:
            await self._add_owner(tenant, owner_email, password, owner_name)
        except EmailTaken:
            # Another replica created the owner first, or an earlier start ended between the two writes.
            for owner in await self._list(owner_email):
                if owner.tenant_id == tenant.id:
                    await self.tenants.add_owner(tenant.id, owner.id)

    async def _add_owner(self, tenant: Tenant, email: str, password: str, name: str) -> Operator:
        operator = Operator(
            id=await self.next_operator_id(),
            tenant_id=tenant.id,
            email=email.lower(),
            name=name,
            password_hash=await hash_password(self.operators, self.passwords, email.lower(), password),
            created_at=self.clock(),
            owner=True,
        )
        audited = await access_changed_event(
            self.audit, AuditActor(tenant.id), operator, "tenant.created", {"owner": name}
        )
        await self.operators.add(operator, audited)
        await self.tenants.add_owner(tenant.id, operator.id)
        return operator
