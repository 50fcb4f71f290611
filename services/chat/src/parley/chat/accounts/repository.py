"""Operators and tenants in MongoDB. An operator's keys, invitation and outbox live in the operator's document."""

from __future__ import annotations

from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.chat.accounts.service import (
    ChangedMeanwhile,
    EmailTaken,
    Invitation,
    Operator,
    OperatorNotFound,
    Tenant,
)
from parley.chat.audit.repository import outbox_entry
from parley.chat.audit.service import Told
from parley.common.auth.identity import Permission
from parley.common.errors import NotFound
from parley.common.mongodb import Document, Index, Mongo, Outbox

OPERATORS = "operators"
TENANTS = "tenants"
EVERYWHERE = 0
"""In `reach`, stands for every site of the tenant: an owner's."""

INDEXES = [
    # Removed operators have no address, so that it is free for another account.
    Index(
        OPERATORS,
        [("email", 1)],
        {"name": "email", "unique": True, "partialFilterExpression": {"email": {"$exists": True}}},
    ),
    Index(
        TENANTS,
        [("first", 1)],
        {"name": "first", "unique": True, "partialFilterExpression": {"first": {"$exists": True}}},
    ),
]


class MongoOperators:
    """An OperatorStore."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox

    async def get(self, tenant_id: int, operator_id: int) -> Operator:
        row = await self._mongo[OPERATORS].find_one({"_id": operator_id, "tenant_id": tenant_id, "removed": False})
        if row is None:
            raise OperatorNotFound
        return operator_of(row)

    async def find(self, operator_id: int) -> Operator | None:
        return self._read(await self._mongo[OPERATORS].find_one({"_id": operator_id}))

    async def by_email(self, email: str) -> Operator | None:
        return self._read(await self._mongo[OPERATORS].find_one({"email": email}))

    async def by_invitation(self, token_hash: str) -> Operator | None:
        return self._read(await self._mongo[OPERATORS].find_one({"invitation.token_hash": token_hash}))

    async def add(self, operator: Operator, told: Told) -> None:
        fields = {name: value for name, value in _fields(operator).items() if value is not None}
        document = {
            "_id": operator.id,
            "tenant_id": operator.tenant_id,
            "created_at": operator.created_at,
            **fields,
            "outbox": [outbox_entry(told)],
        }
        try:
            await self._mongo[OPERATORS].insert_one(document)
        except DuplicateKeyError as exc:
            raise EmailTaken from exc
        self._outbox.tell(OPERATORS, document)

    async def save(self, before: Operator, after: Operator, told: Told) -> None:
        if not await save_operator(self._mongo, self._outbox, before, after, told, {}):
            raise ChangedMeanwhile

    @staticmethod
    def _read(row: Document | None) -> Operator | None:
        return None if row is None else operator_of(row)


class MongoTenants:
    """A TenantStore."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def get(self, tenant_id: int) -> Tenant:
        row = await self._mongo[TENANTS].find_one({"_id": tenant_id})
        if row is None:
            raise NotFound
        return _tenant(row)

    async def add(self, tenant: Tenant, *, first: bool = False) -> Tenant:
        mark = {"first": True} if first else {}
        document = {"_id": tenant.id, "name": tenant.name, "owners": list(tenant.owners), **mark}
        try:
            await self._mongo[TENANTS].insert_one(document)
        except DuplicateKeyError:
            row = await self._mongo[TENANTS].find_one(mark) if first else None
            if row is None:
                raise
            return _tenant(row)
        return tenant

    async def drop(self, tenant_id: int) -> None:
        await self._mongo[TENANTS].delete_one({"_id": tenant_id, "owners": []})

    async def add_owner(self, tenant_id: int, operator_id: int) -> None:
        await self._mongo[TENANTS].update_one({"_id": tenant_id}, {"$addToSet": {"owners": operator_id}})

    async def drop_owner(self, tenant_id: int, operator_id: int) -> bool:
        done = await self._mongo[TENANTS].update_one(
            {"_id": tenant_id, "owners": {"$elemMatch": {"$ne": operator_id}}}, {"$pull": {"owners": operator_id}}
        )
        return done.matched_count == 1


async def save_operator(
    mongo: Mongo, outbox: Outbox, before: Operator, after: Operator, told: Told, more: dict[str, Any]
) -> bool:
    """Write what changed of an operator, if nobody else did meanwhile. `more` goes into the same write."""
    fields = _fields(after)
    changed = {name: value for name, value in fields.items() if value is not None}
    gone = {name: "" for name, value in fields.items() if value is None}
    update: Document = {"$set": changed, "$push": {"outbox": outbox_entry(told)}, **more}
    if gone:
        update["$unset"] = gone
    row = await mongo[OPERATORS].find_one_and_update(
        {"_id": before.id, "version": before.version}, update, {"outbox": 1}, return_document=ReturnDocument.AFTER
    )
    if row is not None:
        outbox.tell(OPERATORS, row)
    return row is not None


def operator_of(row: Document) -> Operator:
    """An operator as it was kept."""
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
            int(site_id): frozenset(Permission(name) for name in granted) for site_id, granted in row["access"].items()
        },
        version=row["version"],
        password_version=row["password_version"],
        kept_session=row.get("kept_session"),
        invitation=Invitation(invitation["token_hash"], invitation["expires_at"]) if invitation else None,
    )


def _fields(operator: Operator) -> Document:
    """What may change of an operator; None where the field is to be absent."""
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
        "access": {str(site_id): sorted(granted) for site_id, granted in operator.access.items()},
        "reach": [EVERYWHERE] if operator.owner else sorted(operator.access),
        "version": operator.version,
        "password_version": operator.password_version,
        "kept_session": operator.kept_session,
        "invitation": (
            {"token_hash": invitation.token_hash, "expires_at": invitation.expires_at} if invitation else None
        ),
    }


def _tenant(row: Document) -> Tenant:
    return Tenant(row["_id"], row["name"], tuple(row["owners"]))
