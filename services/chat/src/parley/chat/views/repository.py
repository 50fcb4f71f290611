"""Saved views in MongoDB."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from parley.chat.conversations.queries import ConversationFilter
from parley.chat.conversations.visitor_search import fold
from parley.chat.mongo_limits import stay_within
from parley.chat.newer_documents import with_unknown_fields
from parley.chat.views.errors import TooManyViews, ViewNameTaken, ViewNotFound
from parley.chat.views.model import View, ViewFilter
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "views"

INDEXES = [
    Index(COLLECTION, [("tenant_id", 1), ("audience", 1), ("_id", 1)], {"name": "audience"}),
    Index(COLLECTION, [("tenant_id", 1), ("audience", 1), ("name_folded", 1)], {"name": "name", "unique": True}),
]


class MongoViewRepository:
    """A ViewRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_page(self, tenant_id: int, audiences: Collection[str], after: int, limit: int) -> list[View]:
        query: Document = {"tenant_id": tenant_id, "audience": {"$in": sorted(audiences)}, "_id": {"$gt": after}}
        cursor = self._mongo[COLLECTION].find(query, limit=limit)
        return [_to_view(document) async for document in cursor.sort("_id", 1)]

    async def get(self, tenant_id: int, view_id: int) -> View:
        document = await self._mongo[COLLECTION].find_one({"_id": view_id, "tenant_id": tenant_id})
        if document is None:
            raise ViewNotFound
        return _to_view(document)

    async def add(self, view: View, limit: int) -> None:
        document = {"_id": view.id, **_fields(view), "created_at": view.created_at}
        async with self._stay_within(view, limit):
            try:
                await self._mongo[COLLECTION].insert_one(document)
            except DuplicateKeyError as exc:
                raise ViewNameTaken from exc

    async def replace(self, view: View, limit: int | None) -> None:
        query = {"_id": view.id, "tenant_id": view.tenant_id}
        fields = await with_unknown_fields(
            self._mongo, COLLECTION, query, lambda row: _fields(_to_view(row)), _fields(view)
        )
        async with self._stay_within(view, limit):
            try:
                result = await self._mongo[COLLECTION].update_one(query, {"$set": fields})
            except DuplicateKeyError as exc:
                raise ViewNameTaken from exc
        if not result.matched_count:
            raise ViewNotFound

    def _stay_within(self, view: View, limit: int | None) -> AbstractAsyncContextManager[None]:
        if limit is None:
            return nullcontext()
        group = {"tenant_id": view.tenant_id, "audience": view.audience}
        return stay_within(self._mongo, COLLECTION, group, [view.id], limit, TooManyViews)

    async def delete(self, tenant_id: int, view_id: int) -> bool:
        result = await self._mongo[COLLECTION].delete_one({"_id": view_id, "tenant_id": tenant_id})
        return bool(result.deleted_count)

    async def list_audiences(self) -> list[tuple[int, str]]:
        group = {"$group": {"_id": {"tenant_id": "$tenant_id", "audience": "$audience"}}}
        cursor = await self._mongo[COLLECTION].aggregate([{"$sort": {"tenant_id": 1, "audience": 1}}, group])
        return [(row["_id"]["tenant_id"], row["_id"]["audience"]) async for row in cursor]

    async def delete_audience(self, tenant_id: int, audience: str) -> None:
        await self._mongo[COLLECTION].delete_many({"tenant_id": tenant_id, "audience": audience})


def _fields(view: View) -> Document:
    return {
        "tenant_id": view.tenant_id,
        "operator_id": view.operator_id,
        "audience": view.audience,
        "scope": view.scope,
        "site_id": view.site_id,
        "name": view.name,
        "name_folded": fold(view.name),
        "filter": _filter_document(view.filter),
        "updated_at": view.updated_at,
    }


def _filter_document(filter_: ViewFilter) -> Document:
    fields = filter_.fields
    waiting = None if fields.min_waiting is None else int(fields.min_waiting.total_seconds())
    document: dict[str, Any] = {
        "status": filter_.status,
        "site_id": filter_.site_id,
        "label_id": fields.label_id,
        "team_id": fields.team_id,
        "operator_id": fields.operator_id,
        "language": fields.language,
        "rating": fields.rating,
        "search": fields.search,
        "waiting": waiting,
    }
    return {name: value for name, value in document.items() if value is not None}


def _to_filter(document: Document) -> ViewFilter:
    waiting = document.get("waiting")
    fields = ConversationFilter(
        label_id=document.get("label_id"),
        team_id=document.get("team_id"),
        operator_id=document.get("operator_id"),
        language=document.get("language"),
        rating=document.get("rating"),
        search=document.get("search"),
        min_waiting=None if waiting is None else timedelta(seconds=waiting),
    )
    return ViewFilter(document["status"], document.get("site_id"), fields)


def _to_view(document: Document) -> View:
    return View(
        id=document["_id"],
        tenant_id=document["tenant_id"],
        operator_id=document["operator_id"],
        scope=document["scope"],
        site_id=document["site_id"],
        name=document["name"],
        filter=_to_filter(document["filter"]),
        created_at=document["created_at"],
        updated_at=document["updated_at"],
    )
