"""Who may change which member of a team.

An owner may change everybody. A manager sees the members of the sites they manage, changes permissions on those sites,
grants no permission they lack themselves, and changes no owner. The functions raise Forbidden.
"""

from __future__ import annotations

from parley.chat.accounts.access import require_permission
from parley.chat.accounts.model import Operator, SitePermissions
from parley.chat.team.errors import OwnerHasFullAccess
from parley.chat.team.model import MemberChange
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.errors import Forbidden


def managed_site_ids(caller: OperatorCaller) -> set[int]:
    """Return the sites on which the caller has the permission to manage."""
    return set(caller.with_required_permission(Permission.MANAGE).site_ids)


def require_visible(caller: OperatorCaller, operator: Operator) -> None:
    """Check that a member may be shown to the caller."""
    if caller.owner:
        return
    managed = managed_site_ids(caller)
    if not managed or not (operator.owner or managed & set(operator.access)):
        raise Forbidden("This person is on none of the sites that you manage.")


def require_account_control(caller: OperatorCaller, operator: Operator) -> None:
    """Check that the caller may change the account itself: owners, and managers of every site the member is on."""
    if caller.owner:
        return
    if operator.owner:
        raise Forbidden("Only an owner can change an owner.")
    if not set(operator.access) <= managed_site_ids(caller):
        raise Forbidden("This person is also on sites that you do not manage.")


def require_not_owner(caller: OperatorCaller, operator: Operator) -> None:
    """Check that a member's permissions can be changed by site. Raises OwnerHasFullAccess if the caller is an owner."""
    if operator.owner:
        raise OwnerHasFullAccess if caller.owner else Forbidden("Only an owner can change an owner.")


def require_grantable(
    caller: OperatorCaller, before: SitePermissions, after: SitePermissions, *, changes_ownership: bool
) -> None:
    """Check that the caller may turn permissions `before` into `after`. Permissions that the member has can stay."""
    if caller.owner:
        return
    if changes_ownership:
        raise Forbidden("Only an owner can grant or remove ownership.")
    for site_id, permissions in after.items():
        if site_id not in before or permissions != before[site_id]:
            require_permission(caller, caller.tenant_id, site_id, Permission.MANAGE)
            lacking = permissions - before.get(site_id, frozenset()) - caller.sites[site_id]
            if lacking:
                raise Forbidden(f"You cannot grant permissions that you lack: {', '.join(sorted(lacking))}.")


def changed_permissions(caller: OperatorCaller, before: Operator, change: MemberChange) -> SitePermissions:
    """Return the member's permissions after a change. Sites that the caller does not manage keep theirs.

    Raises Forbidden, OwnerHasFullAccess.
    """
    if before.owner and change.owner is not False:
        if change.site_ids is not None or change.permissions is not None:
            require_not_owner(caller, before)
        return before.access
    if change.site_ids is None and change.permissions is None:
        return before.access
    changeable = set(before.access) | (change.site_ids or set()) if caller.owner else managed_site_ids(caller)
    if change.site_ids is not None and change.site_ids - changeable:
        raise Forbidden("You are not a manager of all these sites.")
    site_ids = change.site_ids if change.site_ids is not None else set(before.access) & changeable
    unchanged = {site: permissions for site, permissions in before.access.items() if site not in changeable}
    changed = {
        site_id: change.permissions if change.permissions is not None else before.access.get(site_id, frozenset())
        for site_id in site_ids
    }
    return {**unchanged, **changed}
