"""Lists and changes the members of a team. `rules` says who may change whom.

Members cannot suspend or remove themselves, and a tenant always keeps one active owner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from parley.chat.accounts.access import require_login, require_permission
from parley.chat.accounts.errors import OperatorNotFound
from parley.chat.accounts.events import access_changed_event
from parley.chat.accounts.model import Operator, SitePermissions, serialize_permissions
from parley.chat.accounts.password_policy import require_acceptable
from parley.chat.accounts.passwords import hash_password
from parley.chat.accounts.ports import OperatorRepository, PasswordHasher, SiteLookup, TenantRepository
from parley.chat.audit.service import AuditService
from parley.chat.ids import NextId
from parley.chat.invitations.model import IssuedInvitation
from parley.chat.invitations.service import InvitationService
from parley.chat.sites.errors import SiteNotFound
from parley.chat.team import rules
from parley.chat.team.errors import AlreadyAccepted, LastOwner, OwnAccount
from parley.chat.team.model import MemberChange, MemberDraft
from parley.chat.team.ports import TeamRepository
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.errors import Forbidden, ValidationFailed
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class TeamService:
    team: TeamRepository
    operators: OperatorRepository
    tenants: TenantRepository
    sites: SiteLookup
    invitations: InvitationService
    passwords: PasswordHasher
    audit: AuditService
    next_id: NextId
    clock: Clock

    async def list_page(self, caller: OperatorCaller, site_id: int | None, after: int, limit: int) -> list[Operator]:
        """List the members that the caller may see, by id; one more than `limit` if there are more.

        Raises SiteNotFound, Forbidden.
        """
        if site_id is not None:
            await self._require_managed_site(caller, site_id)
            return await self._list_page(caller, [site_id], after, limit)
        managed = rules.managed_site_ids(caller)
        if not caller.owner and not managed:
            raise Forbidden(f"This needs the permission {Permission.MANAGE} on a site.")
        return await self._list_page(caller, None if caller.owner else sorted(managed), after, limit)

    async def _list_page(
        self, caller: OperatorCaller, site_ids: Sequence[int] | None, after: int, limit: int
    ) -> list[Operator]:
        operators = await self.team.list_page(caller.tenant_id, site_ids, after, limit + 1)
        mentioned = sorted({site_id for operator in operators for site_id in operator.access})
        existing = set(await self.sites.filter_existing(caller.tenant_id, mentioned))
        return [_without_deleted_sites(operator, existing) for operator in operators]

    async def get(self, caller: OperatorCaller, operator_id: int) -> Operator:
        """Return a member whom the caller may see. Raises OperatorNotFound, Forbidden."""
        stored = await self.operators.get(caller.tenant_id, operator_id)
        existing = await self.sites.filter_existing(caller.tenant_id, sorted(stored.access))
        operator = _without_deleted_sites(stored, set(existing))
        rules.require_visible(caller, operator)
        return operator

    async def create(self, caller: OperatorCaller, draft: MemberDraft) -> tuple[Operator, IssuedInvitation | None]:
        """Create a member, with an invitation to pass on if the draft has no password.

        The address may have accounts of other tenants, which the caller does not learn.

        Raises SiteNotFound, Forbidden, NotWithApiKey, ValidationFailed for a weak password, EmailTaken, Unavailable.
        """
        await self._require_existing_sites(caller, draft.site_ids)
        access: SitePermissions = {} if draft.owner else dict.fromkeys(draft.site_ids, draft.permissions)
        rules.require_grantable(caller, {}, access, changes_ownership=draft.owner)
        if not draft.owner and not access and not caller.owner:
            raise Forbidden("Name at least one site that you manage.")
        # An invitation is a credential, too: its link is enough to log in.
        require_login(caller)
        password_hash = None
        if draft.password:
            await require_acceptable(draft.password, "password", draft.email)
            password_hash = await hash_password(self.operators, self.passwords, draft.email, draft.password)
        issued, invitation = (None, None) if draft.password else self.invitations.issue()
        operator = Operator(
            id=await self.next_id(),
            tenant_id=caller.tenant_id,
            email=draft.email,
            name=draft.name,
            password_hash=password_hash,
            created_at=self.clock(),
            owner=draft.owner,
            language=draft.language,
            access=access,
            invitation=invitation,
        )
        details = {
            "name": operator.name,
            "owner": operator.owner,
            "access": serialize_permissions(access),
            "invited": issued is not None,
        }
        audited = await access_changed_event(self.audit, caller, operator, "member.created", details)
        await self.operators.add(operator, audited)
        if operator.is_active_owner:
            await self.tenants.add_owner(operator.tenant_id, operator.id)
        return operator, issued

    async def update(self, caller: OperatorCaller, operator_id: int, change: MemberChange) -> Operator:
        """Change a member.

        Raises OperatorNotFound, SiteNotFound, Forbidden, OwnAccount, LastOwner, OwnerHasFullAccess, EditConflict.
        """
        before = await self.get(caller, operator_id)
        await self._require_existing_sites(caller, change.site_ids or frozenset())
        if change.changes_account:
            rules.require_account_control(caller, before)
        if before.id == caller.operator_id and (change.suspended or change.owner is False):
            raise OwnAccount
        owner = before.owner if change.owner is None else change.owner
        if owner != before.owner:
            require_login(caller)
        access = rules.changed_permissions(caller, before, change)
        if owner and not before.owner:
            access = {}
        rules.require_grantable(caller, before.access, access, changes_ownership=owner != before.owner)
        after = replace(
            before,
            name=change.name or before.name,
            suspended=before.suspended if change.suspended is None else change.suspended,
            owner=owner,
            access=access,
            capacity=before.capacity if change.capacity is None else change.capacity or None,
        )
        details = {
            "suspended": after.suspended,
            "owner": owner,
            "access": serialize_permissions(access),
            **({"capacity": after.capacity} if after.capacity != before.capacity else {}),
        }
        return await self._save(caller, before, after, "member.updated", details)

    async def remove(self, caller: OperatorCaller, operator_id: int) -> None:
        """Remove a member; their name stays in conversations and in the audit log.

        Raises OperatorNotFound, Forbidden, OwnAccount, LastOwner, EditConflict.
        """
        before = await self.get(caller, operator_id)
        if before.id == caller.operator_id:
            raise OwnAccount
        rules.require_account_control(caller, before)
        after = replace(
            before,
            email=None,
            suspended=True,
            removed_at=self.clock(),
            access={},
            owner=False,
            invitation=None,
            retained_session_id=None,
        )
        await self._save(caller, before, after, "member.removed", {"name": before.name})

    async def renew_invitation(self, caller: OperatorCaller, operator_id: int) -> IssuedInvitation:
        """Replace the invitation of a member.

        Raises OperatorNotFound, Forbidden, NotWithApiKey, AlreadyAccepted, EditConflict.
        """
        require_login(caller)
        before = await self.get(caller, operator_id)
        rules.require_account_control(caller, before)
        if before.password_hash is not None:
            raise AlreadyAccepted
        issued, invitation = self.invitations.issue()
        await self._save(caller, before, replace(before, invitation=invitation), "member.invited", {})
        return issued

    async def grant_site_access(
        self, caller: OperatorCaller, site_id: int, operator_id: int, permissions: frozenset[Permission] | None
    ) -> Operator:
        """Add a member to a site, or replace their permissions there. `permissions` is None if the caller named none.

        Raises SiteNotFound, OperatorNotFound, Forbidden, OwnerHasFullAccess, ValidationFailed, EditConflict.
        """
        await self._require_managed_site(caller, site_id)
        before = await self.get(caller, operator_id)
        rules.require_not_owner(caller, before)
        if permissions is None:
            # Replacing all permissions by none has to be said: a misspelt name must not take them away.
            raise ValidationFailed({permission.value: "name at least one permission" for permission in Permission})
        access = {**before.access, site_id: permissions}
        rules.require_grantable(caller, before.access, access, changes_ownership=False)
        after = replace(before, access=access)
        details = {"site": site_id, "permissions": sorted(permissions)}
        return await self._save(caller, before, after, "member.granted", details, site_id=site_id)

    async def revoke_site_access(self, caller: OperatorCaller, site_id: int, operator_id: int) -> None:
        """Remove a member from a site.

        Raises SiteNotFound, OperatorNotFound, Forbidden, OwnAccount, OwnerHasFullAccess, EditConflict.
        """
        await self._require_managed_site(caller, site_id)
        before = await self.get(caller, operator_id)
        rules.require_not_owner(caller, before)
        if before.id == caller.operator_id:
            raise OwnAccount
        if site_id not in before.access:
            raise OperatorNotFound
        access = {site: permissions for site, permissions in before.access.items() if site != site_id}
        after = replace(before, access=access)
        await self._save(caller, before, after, "member.taken_off", {"site": site_id}, site_id=site_id)

    async def _require_managed_site(self, caller: OperatorCaller, site_id: int) -> None:
        if not await self.sites.filter_existing(caller.tenant_id, [site_id]):
            raise SiteNotFound
        require_permission(caller, caller.tenant_id, site_id, Permission.MANAGE)

    async def _require_existing_sites(self, caller: OperatorCaller, site_ids: frozenset[int]) -> None:
        existing = await self.sites.filter_existing(caller.tenant_id, sorted(site_ids))
        if len(existing) < len(site_ids):
            raise SiteNotFound

    async def _save(
        self,
        caller: OperatorCaller,
        before: Operator,
        changed: Operator,
        action: str,
        details: Mapping[str, Any],
        *,
        site_id: int | None = None,
    ) -> Operator:
        after = replace(changed, version=before.version + 1)
        audited = await access_changed_event(
            self.audit, caller, after, action, details, site_id=site_id, sessions_ended=after.removed_at is not None
        )
        loses_owner = before.is_active_owner and not after.is_active_owner
        if loses_owner and not await self.tenants.remove_owner(before.tenant_id, before.id):
            raise LastOwner
        await self.operators.save(before, after, audited)
        if after.is_active_owner and not before.is_active_owner:
            await self.tenants.add_owner(after.tenant_id, after.id)
        return after


def _without_deleted_sites(operator: Operator, existing: set[int]) -> Operator:
    access = {site_id: permissions for site_id, permissions in operator.access.items() if site_id in existing}
    return replace(operator, access=access)
