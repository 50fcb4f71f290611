"""The team: who is on it, on which sites, and what they may do there.

An owner may change everybody. A manager sees the people of the sites they manage, changes what those may do there,
grants nothing they lack themselves, and touches no owner. Nobody suspends or removes themselves, and one active owner
is always left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from parley.chat.accounts.access import EVERYTHING, TenantSites, allow
from parley.chat.accounts.passwords import Passwords
from parley.chat.accounts.service import (
    Access,
    NextId,
    Operator,
    OperatorNotFound,
    OperatorStore,
    TenantStore,
    told_of,
)
from parley.chat.audit.service import Audit
from parley.chat.conversations.ports import Member
from parley.chat.invitations.service import Invitations, Invited
from parley.chat.sites.service import SiteNotFound
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.errors import Conflict, Forbidden
from parley.common.runtime.clock import Clock


class OwnAccount(Conflict):
    code = "own_account"
    sentence = "You cannot take your own access away. Ask another owner or manager."


class LastOwner(Conflict):
    code = "last_owner"
    sentence = "The last active owner must stay."


class OwnerHasAll(Conflict):
    code = "owner_has_all"
    sentence = "An owner may do everything on every site already."


class AlreadyIn(Conflict):
    code = "already_accepted"
    sentence = "This person has a password already and needs no invitation."


@dataclass(frozen=True, slots=True)
class MemberDraft:
    """What is said of a new member. Without a password they are invited."""

    email: str
    name: str
    password: str | None
    site_ids: frozenset[int]
    permissions: frozenset[Permission]
    owner: bool
    language: str


@dataclass(frozen=True, slots=True)
class MemberChange:
    """What is to change of a member; None leaves it."""

    name: str | None = None
    suspended: bool | None = None
    owner: bool | None = None
    site_ids: frozenset[int] | None = None
    permissions: frozenset[Permission] | None = None

    @property
    def whole(self) -> bool:
        """Whether it touches the person, and not only what they may do on some sites."""
        return self.name is not None or self.suspended is not None or self.owner is not None


class TeamStore(Protocol):
    """The team's lists. Those who were removed are in none."""

    async def page(self, tenant_id: int, site_ids: Sequence[int] | None, after: int, limit: int) -> list[Operator]:
        """A tenant's operators by id: all, or the owners and the members of some sites."""

    async def on_site(self, tenant_id: int, site_id: int) -> list[Operator]:
        """The owners and the members of one site."""


@dataclass(frozen=True, slots=True)
class Team:
    """Shows and changes the team."""

    store: TeamStore
    operators: OperatorStore
    tenants: TenantStore
    sites: TenantSites
    invitations: Invitations
    passwords: Passwords
    audit: Audit
    next_id: NextId
    clock: Clock

    async def page(self, caller: OperatorCaller, site_id: int | None, after: int, limit: int) -> list[Operator]:
        """Whom the caller may see, by id; one more than `limit` where there are more. Raises NotFound, Forbidden."""
        if site_id is not None:
            await self._site(caller, site_id)
            return await self._page(caller, [site_id], after, limit)
        if not caller.owner and not _managed(caller):
            raise Forbidden(f"This needs the permission {Permission.MANAGE} on a site.")
        among = None if caller.owner else sorted(_managed(caller))
        return await self._page(caller, among, after, limit)

    async def _page(
        self, caller: OperatorCaller, among: Sequence[int] | None, after: int, limit: int
    ) -> list[Operator]:
        found = await self.store.page(caller.tenant_id, among, after, limit + 1)
        named = sorted({site_id for operator in found for site_id in operator.access})
        there = set(await self.sites.existing(caller.tenant_id, named))
        return [_on(there, operator) for operator in found]

    async def get(self, caller: OperatorCaller, operator_id: int) -> Operator:
        """A member whom the caller may see. Raises OperatorNotFound, Forbidden."""
        found = await self.operators.get(caller.tenant_id, operator_id)
        operator = _on(set(await self.sites.existing(caller.tenant_id, sorted(found.access))), found)
        if not caller.owner:
            managed = _managed(caller)
            if not managed or not (operator.owner or managed & set(operator.access)):
                raise Forbidden("This person is on none of the sites that you manage.")
        return operator

    async def create(self, caller: OperatorCaller, draft: MemberDraft) -> tuple[Operator, Invited | None]:
        """A new member, and the invitation to pass on where they have no password yet.

        Raises SiteNotFound, Forbidden, EmailTaken.
        """
        await self._exist(caller, draft.site_ids)
        access: Access = {} if draft.owner else dict.fromkeys(draft.site_ids, draft.permissions)
        self._may_grant(caller, {}, access, make_owner=draft.owner)
        if not draft.owner and not access and not caller.owner:
            raise Forbidden("Name at least one site that you manage.")
        invited, invitation = (None, None) if draft.password else self.invitations.new()
        operator = Operator(
            id=await self.next_id(),
            tenant_id=caller.tenant_id,
            email=draft.email,
            name=draft.name,
            password_hash=await self.passwords.hash(draft.password) if draft.password else None,
            created_at=self.clock(),
            owner=draft.owner,
            language=draft.language,
            access=access,
            invitation=invitation,
        )
        details = {"name": operator.name, "owner": operator.owner, "access": shown(access), "invited": bool(invited)}
        await self.operators.add(operator, await told_of(self.audit, caller, operator, "member.created", details))
        if operator.acts_as_owner:
            await self.tenants.add_owner(operator.tenant_id, operator.id)
        return operator, invited

    async def update(self, caller: OperatorCaller, operator_id: int, change: MemberChange) -> Operator:
        """Change a member. Raises NotFound, Forbidden, OwnAccount, LastOwner, ChangedMeanwhile."""
        before = await self.get(caller, operator_id)
        await self._exist(caller, change.site_ids or frozenset())
        if change.whole:
            _rule_over(caller, before)
        if before.id == caller.operator_id and (change.suspended or change.owner is False):
            raise OwnAccount
        owner = before.owner if change.owner is None else change.owner
        access = _changed_access(caller, before, change)
        if owner and not before.owner:
            access = {}
        self._may_grant(caller, before.access, access, make_owner=owner != before.owner)
        after = replace(
            before,
            name=change.name or before.name,
            suspended=before.suspended if change.suspended is None else change.suspended,
            owner=owner,
            access=access,
        )
        details = {"suspended": after.suspended, "owner": owner, "access": shown(access)}
        return await self._save(caller, before, after, "member.updated", details)

    async def remove(self, caller: OperatorCaller, operator_id: int) -> None:
        """Take a member off the team; their name stays in what they did. Raises as `update` does."""
        before = await self.get(caller, operator_id)
        if before.id == caller.operator_id:
            raise OwnAccount
        _rule_over(caller, before)
        after = replace(
            before, email=None, suspended=True, removed_at=self.clock(), access={}, owner=False, invitation=None
        )
        await self._save(caller, before, after, "member.removed", {"name": before.name})

    async def invite_again(self, caller: OperatorCaller, operator_id: int) -> Invited:
        """A new invitation in place of the last. Raises NotFound, Forbidden, AlreadyIn."""
        before = await self.get(caller, operator_id)
        _rule_over(caller, before)
        if before.password_hash is not None:
            raise AlreadyIn
        invited, invitation = self.invitations.new()
        await self._save(caller, before, replace(before, invitation=invitation), "member.invited", {})
        return invited

    async def grant(
        self, caller: OperatorCaller, site_id: int, operator_id: int, permissions: frozenset[Permission]
    ) -> Operator:
        """Put a member on a site, or change what they may do there. Raises NotFound, Forbidden, OwnerHasAll."""
        await self._site(caller, site_id)
        before = await self.get(caller, operator_id)
        _not_an_owner(caller, before)
        access = {**before.access, site_id: permissions}
        self._may_grant(caller, before.access, access, make_owner=False)
        details = {"site": site_id, "permissions": sorted(permissions)}
        return await self._save(
            caller, before, replace(before, access=access), "member.granted", details, site_id=site_id
        )

    async def take_off(self, caller: OperatorCaller, site_id: int, operator_id: int) -> None:
        """Take a member off a site. Raises NotFound, Forbidden, OwnAccount, OwnerHasAll."""
        await self._site(caller, site_id)
        before = await self.get(caller, operator_id)
        _not_an_owner(caller, before)
        if before.id == caller.operator_id:
            raise OwnAccount
        if site_id not in before.access:
            raise OperatorNotFound
        access = {site: granted for site, granted in before.access.items() if site != site_id}
        after = replace(before, access=access)
        await self._save(caller, before, after, "member.taken_off", {"site": site_id}, site_id=site_id)

    async def _site(self, caller: OperatorCaller, site_id: int) -> None:
        if not await self.sites.existing(caller.tenant_id, [site_id]):
            raise SiteNotFound
        allow(caller, caller.tenant_id, site_id, Permission.MANAGE)

    async def _exist(self, caller: OperatorCaller, site_ids: frozenset[int]) -> None:
        if site_ids and len(await self.sites.existing(caller.tenant_id, sorted(site_ids))) < len(site_ids):
            raise SiteNotFound

    def _may_grant(self, caller: OperatorCaller, before: Access, after: Access, *, make_owner: bool) -> None:
        """Raises Forbidden for what the caller lacks."""
        if caller.owner:
            return
        if make_owner:
            raise Forbidden("Only an owner makes owners.")
        for site_id, permissions in after.items():
            if site_id not in before or permissions != before[site_id]:
                allow(caller, caller.tenant_id, site_id, Permission.MANAGE)
                lacking = permissions - before.get(site_id, frozenset()) - caller.sites[site_id]
                if lacking:
                    raise Forbidden(f"You cannot grant what you lack yourself: {', '.join(sorted(lacking))}.")

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
        told = await told_of(self.audit, caller, after, action, details, site_id=site_id)
        leaves = before.acts_as_owner and not after.acts_as_owner
        if leaves and not await self.tenants.drop_owner(before.tenant_id, before.id):
            raise LastOwner
        await self.operators.save(before, after, told)
        if after.acts_as_owner and not before.acts_as_owner:
            await self.tenants.add_owner(after.tenant_id, after.id)
        return after


@dataclass(frozen=True, slots=True)
class TeamDirectory:
    """The team as the rest of the service and the other services look it up."""

    store: TeamStore
    operators: OperatorStore
    sites: TenantSites

    async def member(self, tenant_id: int, operator_id: int) -> Member | None:
        """An operator of the tenant; None where there is none by that id."""
        try:
            operator = await self.operators.get(tenant_id, operator_id)
        except OperatorNotFound:
            return None
        sites = operator.access
        if operator.owner:
            sites = dict.fromkeys(await self.sites.ids_of(tenant_id), EVERYTHING)
        return Member(operator.id, tenant_id, operator.name, sites, operator.active)

    async def on_site(self, tenant_id: int, site_id: int) -> Sequence[Member]:
        """The active members of a site, owners among them; each with their permissions on this site alone."""
        found = await self.store.on_site(tenant_id, site_id)
        return [
            Member(operator.id, tenant_id, operator.name, {site_id: permissions_on(operator, site_id)}, operator.active)
            for operator in found
            if operator.active
        ]

    async def site_operators(self, tenant_id: int, site_id: int) -> dict[str, Any]:
        """The answer to the other services' question `site_operators`."""
        found = await self.store.on_site(tenant_id, site_id)
        return {
            "operators": [
                {
                    "operator_id": operator.id,
                    "language": operator.language,
                    "permissions": sorted(permissions_on(operator, site_id)),
                }
                for operator in found
                if operator.active
            ]
        }


def permissions_on(operator: Operator, site_id: int) -> frozenset[Permission]:
    """What an operator may do on a site of their tenant."""
    return EVERYTHING if operator.owner else operator.access.get(site_id, frozenset())


def shown(access: Access) -> dict[str, list[str]]:
    """An access as it is written down and answered."""
    return {str(site_id): sorted(permissions) for site_id, permissions in access.items()}


def _on(there: set[int], operator: Operator) -> Operator:
    """The operator without what they were allowed on sites that have been deleted since."""
    return replace(operator, access={site: granted for site, granted in operator.access.items() if site in there})


def _managed(caller: OperatorCaller) -> set[int]:
    return set(caller.needing(Permission.MANAGE).site_ids)


def _not_an_owner(caller: OperatorCaller, operator: Operator) -> None:
    if operator.owner:
        raise OwnerHasAll if caller.owner else Forbidden("Only an owner changes an owner.")


def _rule_over(caller: OperatorCaller, operator: Operator) -> None:
    """Changing the person takes an owner, or a manager of every site that the person is on."""
    if caller.owner:
        return
    if operator.owner:
        raise Forbidden("Only an owner changes an owner.")
    if not set(operator.access) <= _managed(caller):
        raise Forbidden("This person is also on sites that you do not manage.")


def _changed_access(caller: OperatorCaller, before: Operator, change: MemberChange) -> Access:
    """The member's access after a change; what the caller does not manage stays as it is."""
    if before.owner and change.owner is not False:
        if change.site_ids is not None or change.permissions is not None:
            _not_an_owner(caller, before)
        return before.access
    if change.site_ids is None and change.permissions is None:
        return before.access
    reach = set(before.access) | (change.site_ids or set()) if caller.owner else _managed(caller)
    outside = change.site_ids - reach if change.site_ids is not None else set()
    if outside:
        raise Forbidden("You are not the manager of all these sites.")
    wanted = change.site_ids if change.site_ids is not None else set(before.access) & reach
    kept = {site_id: granted for site_id, granted in before.access.items() if site_id not in reach}
    fresh = {
        site_id: change.permissions if change.permissions is not None else before.access.get(site_id, frozenset())
        for site_id in wanted
    }
    return {**kept, **fresh}
