"""Operators and tenants in MongoDB.

An operator's API keys, invitation and outbox are part of the operator's document, so each change of them is one write.
"""

from __future__ import annotations

from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.chat.accounts.errors import EditConflict, EmailTaken, OperatorNotFound
from parley.chat.accounts.model import Operator, Tenant
from parley.chat.audit.model import AuditedEvent
from parley.chat.audit.repository import audited_outbox_entry
from parley.chat.invitations.model import Invitation
from parley.common.auth.identity import Permission
from parley.common.errors import NotFound
from parley.common.mongodb import Document, Index, Mongo, Outbox

OPERATORS = "operators"
TENANTS = "tenants"
ALL_SITES = 0
"""In the field `reach`, stands for every site of the tenant: the reach of an owner."""

INDEXES = [
    # An e-mail address is unique in a tenant only: a tenant that adds a member does not learn whether it has an
    # account elsewhere. Removed operators have no address, so that it can be used for another account.
    Index(
        OPERATORS,
        [("email", 1), ("tenant_id", 1)],
        {"name": "email_of_tenant", "unique": True, "partialFilterExpression": {"email": {"$exists": True}}},
    ),
    Index(
        OPERATORS,
        [("invitation.token_hash", 1)],
        {
            "name": "invitation",
            "unique": True,
            "partialFilterExpression": {"invitation.token_hash": {"$exists": True}},
        },
    ),
    Index(
        TENANTS,
        [("first", 1)],
        {"name": "first", "unique": True, "partialFilterExpression": {"first": {"$exists": True}}},
    ),
]


class MongoOperatorRepository:
    """Implements OperatorRepository."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox

    async def get(self, tenant_id: int, operator_id: int) -> Operator:
        row = await self._mongo[OPERATORS].find_one({"_id": operator_id, "tenant_id": tenant_id, "removed": False})
        if row is None:
            raise OperatorNotFound
        return to_operator(row)

    async def find(self, operator_id: int) -> Operator | None:
        return await self._find_one({"_id": operator_id})

    async def list_by_email(self, email: str) -> list[Operator]:
        rows = await self._mongo[OPERATORS].find({"email": email}).to_list()
        return sorted((to_operator(row) for row in rows), key=lambda operator: operator.id)

    async def find_by_invitation(self, token_hash: str) -> Operator | None:
        return await self._find_one({"invitation.token_hash": token_hash})

    async def add(self, operator: Operator, audited: AuditedEvent) -> None:
        fields = {name: value for name, value in _mutable_fields(operator).items() if value is not None}
        document = {
            "_id": operator.id,
            "tenant_id": operator.tenant_id,
            "created_at": operator.created_at,
            **fields,
            "outbox": [audited_outbox_entry(audited)],
        }
        try:
            await self._mongo[OPERATORS].insert_one(document)
        except DuplicateKeyError as exc:
            raise EmailTaken from exc
        self._outbox.enqueue(OPERATORS, document)

    async def save(
        self, before: Operator, after: Operator, audited: AuditedEvent, *, revoke_api_keys: bool = False
    ) -> None:
        extra_update: Document = {"$pull": {"api_keys": {}}} if revoke_api_keys else {}
        if not await save_operator(self._mongo, self._outbox, before, after, audited, extra_update):
            raise EditConflict

    async def _find_one(self, query: Document) -> Operator | None:
        row = await self._mongo[OPERATORS].find_one(query)
        return None if row is None else to_operator(row)


class MongoTenantRepository:
    """Implements TenantRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def get(self, tenant_id: int) -> Tenant:
        row = await self._mongo[TENANTS].find_one({"_id": tenant_id})
        if row is None:
            raise NotFound
        return _to_tenant(row)

    async def add(self, tenant: Tenant, *, first: bool = False) -> Tenant:
        mark = {"first": True} if first else {}
        document = {"_id": tenant.id, "name": tenant.name, "owners": list(tenant.owners), **mark}
        try:
            await self._mongo[TENANTS].insert_one(document)
        except DuplicateKeyError:
            row = await self._mongo[TENANTS].find_one(mark) if first else None
            if row is None:
                raise
            return _to_tenant(row)
        return tenant

    async def add_owner(self, tenant_id: int, operator_id: int) -> None:
        await self._mongo[TENANTS].update_one({"_id": tenant_id}, {"$addToSet": {"owners": operator_id}})

    async def remove_owner(self, tenant_id: int, operator_id: int) -> bool:
        result = await self._mongo[TENANTS].update_one(
            {"_id": tenant_id, "owners": {"$elemMatch": {"$ne": operator_id}}}, {"$pull": {"owners": operator_id}}
        )
        return result.matched_count == 1


async def save_operator(
    mongo: Mongo,
    outbox: Outbox,
    before: Operator,
    after: Operator,
    audited: AuditedEvent,
    extra_update: dict[str, Any],
) -> bool:
    """Write a changed operator, with the update operators of `extra_update` in the same write.

    Returns False, and writes nothing, if the stored version is not that of `before`.
    """
    fields = _mutable_fields(after)
    present = {name: value for name, value in fields.items() if value is not None}
    absent = {name: "" for name, value in fields.items() if value is None}
    update: Document = {"$set": present, "$push": {"outbox": audited_outbox_entry(audited)}, **extra_update}
    if absent:
        update["$unset"] = absent
    row = await mongo[OPERATORS].find_one_and_update(
        {"_id": before.id, "version": before.version}, update, {"outbox": 1}, return_document=ReturnDocument.AFTER
    )
    if row is not None:
        outbox.enqueue(OPERATORS, row)
    return row is not None


def to_operator(row: Document) -> Operator:
    """Convert a MongoDB document to an operator."""
    invitation = row.get("invitation")
    return Operator(
        id=row["_id"],
        tenant_id=row["tenant_id"],
        email=row.get("email"),
        name=row["name"],
        password_hash=row.get("password_hash"),
        created_at=row["created_at"],
        owner=row["owner"],
        suspended=row["suspended"],
        removed_at=row.get("removed_at"),
        language=row["language"],
        access={
            int(site_id): frozenset(Permission(name) for name in names) for site_id, names in row["access"].items()
        },
        version=row["version"],
        password_version=row["password_version"],
        retained_session_id=row.get("kept_session"),
        capacity=row.get("capacity"),
        invitation=Invitation(invitation["token_hash"], invitation["expires_at"]) if invitation else None,
    )


def _mutable_fields(operator: Operator) -> Document:
    """Return the fields of the document that can change; None means that the field is absent."""
    invitation = operator.invitation
    return {
        "email": operator.email,
        "name": operator.name,
        "password_hash": operator.password_hash,
        "owner": operator.owner,
        "suspended": operator.suspended,
        "removed": operator.removed_at is not None,
        "removed_at": operator.removed_at,
        "language": operator.language,
        "access": {str(site_id): sorted(permissions) for site_id, permissions in operator.access.items()},
        "reach": [ALL_SITES] if operator.owner else sorted(operator.access),
        "version": operator.version,
        "password_version": operator.password_version,
        "capacity": operator.capacity,
        "kept_session": operator.retained_session_id,
        "invitation": (
            {"token_hash": invitation.token_hash, "expires_at": invitation.expires_at} if invitation else None
        ),
    }


def _to_tenant(row: Document) -> Tenant:
    return Tenant(row["_id"], row["name"], tuple(row["owners"]))
