"""Errors about the team. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict


class OwnAccount(Conflict):
    code = "own_account"
    default_message = "You cannot remove your own access. Ask another owner or manager."


class LastOwner(Conflict):
    code = "last_owner"
    default_message = "The last active owner cannot be removed."


class OwnerHasFullAccess(Conflict):
    code = "owner_has_all"
    default_message = "An owner already has every permission on every site."


class AlreadyAccepted(Conflict):
    code = "already_accepted"
    default_message = "This person already has a password and needs no invitation."
