"""Labels in MongoDB. A deleted label stays, without its audience and name, until no conversation has it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from parley.chat.conversations.visitor_search import fold
from parley.chat.labels.errors import LabelNameTaken, LabelNotFound, TooManyLabels
from parley.chat.labels.model import DeletedLabel, Label
from parley.chat.mongo_limits import stay_within
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "labels"

INDEXES = [
    Index(
        COLLECTION,
        [("tenant_id", 1), ("audience", 1), ("_id", 1)],
        {"name": "audience", "partialFilterExpression": {"audience": {"$type": "string"}}},
    ),
    Index(
        COLLECTION,
        [("tenant_id", 1), ("audience", 1), ("name_folded", 1)],
        {"name": "name", "unique": True, "partialFilterExpression": {"audience": {"$type": "string"}}},
    ),
    Index(
        COLLECTION,
        [("deleted_at", 1)],
        {"name": "deleted", "partialFilterExpression": {"deleted_at": {"$type": "date"}}},
    ),
]


class MongoLabelRepository:
    """A LabelRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_page(self, tenant_id: int, audiences: Collection[str], after: int, limit: int) -> list[Label]:
        query: Document = {
            "tenant_id": tenant_id,
            "audience": {"$in": sorted(audiences), "$type": "string"},
            "_id": {"$gt": after},
        }
        cursor = self._mongo[COLLECTION].find(query, limit=limit)
        return [_to_label(document) async for document in cursor.sort("_id", 1)]

    async def list_by_ids(self, tenant_id: int, label_ids: Sequence[int]) -> list[Label]:
        query = {"_id": {"$in": list(label_ids)}, "tenant_id": tenant_id, "deleted_at": None}
        return [_to_label(document) async for document in self._mongo[COLLECTION].find(query)]

    async def get(self, tenant_id: int, label_id: int) -> Label:
        labels = await self.list_by_ids(tenant_id, [label_id])
        if not labels:
            raise LabelNotFound
        return labels[0]

    async def add(self, label: Label, limit: int) -> None:
        document = {"_id": label.id, **_fields(label), "created_at": label.created_at}
        group = {"tenant_id": label.tenant_id, "audience": {"$eq": label.audience, "$type": "string"}}
        async with stay_within(self._mongo, COLLECTION, group, [label.id], limit, TooManyLabels):
            try:
                await self._mongo[COLLECTION].insert_one(document)
            except DuplicateKeyError as exc:
                raise LabelNameTaken from exc

    async def replace(self, label: Label) -> None:
        query = {"_id": label.id, "tenant_id": label.tenant_id, "deleted_at": None}
        try:
            result = await self._mongo[COLLECTION].update_one(query, {"$set": _fields(label)})
        except DuplicateKeyError as exc:
            raise LabelNameTaken from exc
        if not result.matched_count:
            raise LabelNotFound

    async def mark_deleted(self, tenant_id: int, label_id: int, at: datetime) -> bool:
        query = {"_id": label_id, "tenant_id": tenant_id, "deleted_at": None}
        # Without its audience, another label may have its name.
        update = {"$set": {"deleted_at": at}, "$unset": {"audience": "", "name_folded": ""}}
        return bool((await self._mongo[COLLECTION].update_one(query, update)).matched_count)

    async def list_deleted(self, limit: int) -> Sequence[DeletedLabel]:
        rows = self._mongo[COLLECTION].find({"deleted_at": {"$type": "date"}}, {"tenant_id": 1, "deleted_at": 1})
        return [
            DeletedLabel(row["_id"], row["tenant_id"], row["deleted_at"])
            async for row in rows.sort("deleted_at", 1).limit(limit)
        ]

    async def forget(self, label_id: int) -> None:
        await self._mongo[COLLECTION].delete_one({"_id": label_id, "deleted_at": {"$type": "date"}})

    async def list_audiences(self) -> list[tuple[int, str]]:
        named = {"audience": {"$type": "string"}}
        group = {"$group": {"_id": {"tenant_id": "$tenant_id", "audience": "$audience"}}}
        cursor = await self._mongo[COLLECTION].aggregate([{"$match": named}, group], hint="audience")
        return [(row["_id"]["tenant_id"], row["_id"]["audience"]) async for row in cursor]

    async def delete_audience(self, tenant_id: int, audience: str) -> None:
        query = {"tenant_id": tenant_id, "audience": {"$eq": audience, "$type": "string"}}
        await self._mongo[COLLECTION].delete_many(query)


def _fields(label: Label) -> Document:
    return {
        "tenant_id": label.tenant_id,
        "audience": label.audience,
        "scope": label.scope,
        "site_id": label.site_id,
        "name": label.name,
        "name_folded": fold(label.name),
        "colour": label.colour,
        "updated_at": label.updated_at,
    }


def _to_label(document: Document) -> Label:
    return Label(
        id=document["_id"],
        tenant_id=document["tenant_id"],
        scope=document["scope"],
        site_id=document["site_id"],
        name=document["name"],
        colour=document["colour"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
    )
