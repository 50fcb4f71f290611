"""Visitors in MongoDB: one document per session handle and site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.chat.batching import BatchingQueue
from parley.chat.forms.mappers import to_visitor_form, visitor_form_document
from parley.chat.newer_documents import with_unknown_fields
from parley.chat.paging.model import ListPage, Position
from parley.chat.paging.mongo import fetch_page
from parley.chat.visitors.errors import VisitorBeingErased, VisitorNotFound
from parley.chat.visitors.mappers import to_visitor, visitor_document
from parley.chat.visitors.model import Visitor
from parley.common.mongodb import Document, Index, Mongo
from parley.common.runtime.clock import Clock, utc_now

INDEXES = [
    Index(
        "visitors",
        [("tenant_id", 1), ("site_id", 1), ("blocked_at", -1), ("_id", -1)],
        {"name": "blocked", "partialFilterExpression": {"blocked_at": {"$type": "date"}}},
    ),
    Index(
        "visitors",
        [("tenant_id", 1), ("site_id", 1), ("lead_at", -1), ("_id", -1)],
        {"name": "leads", "partialFilterExpression": {"lead_at": {"$type": "date"}}},
    ),
    Index(
        "visitors",
        [("expires_at", 1)],
        {"name": "expiry", "partialFilterExpression": {"expires_at": {"$type": "date"}}},
    ),
]

_HAS_EXTERNAL_ID = {"external_id": {"$type": "string"}}

INDEXES.append(
    # One visitor per person: of two devices that identify at the same time, the second finds the first one's.
    Index(
        "visitors",
        [("site_id", 1), ("external_id", 1)],
        {"name": "person", "unique": True, "partialFilterExpression": _HAS_EXTERNAL_ID},
    )
)

_MAX_BATCH = 128
_REMOVAL_BATCH = 500

_NOT_BEING_ERASED = {"erasure": {"$exists": False}}
"""During an erasure a placeholder takes the visitor's place: it is never found, and prevents a new insert."""


class MongoVisitorRepository:
    """A VisitorRepository. Reads of one visitor that arrive together share one query."""

    def __init__(self, mongo: Mongo, silent_lifetime: timedelta = timedelta(days=1), clock: Clock = utc_now) -> None:
        """`silent_lifetime`: how long a visitor is kept who does not write."""
        self._mongo = mongo
        self._silent_lifetime = silent_lifetime
        self._clock = clock
        self._find_batched: BatchingQueue[str, Document | None] = BatchingQueue(
            self._find_by_keys, max_batch_size=_MAX_BATCH
        )

    async def find(self, tenant_id: int, site_id: int, session: str) -> Visitor | None:
        document = await self._find_batched(f"{site_id}:{session}")
        return to_visitor(document) if document and document["tenant_id"] == tenant_id else None

    async def _find_by_keys(self, keys: Sequence[str]) -> list[Document | None]:
        cursor = self._mongo["visitors"].find({"_id": {"$in": list(keys)}, **_NOT_BEING_ERASED})
        documents = {document["_id"]: document async for document in cursor}
        return [documents.get(key) for key in keys]

    async def get_or_create(self, tenant_id: int, site_id: int, session: str, language: str | None) -> Visitor:
        visitor = await self.find(tenant_id, site_id, session)
        if visitor is not None and visitor.expires_at is not None:
            visitor = await self._postpone_expiry(visitor, visitor.expires_at)
        if visitor is None:
            expires_at = self._clock() + self._silent_lifetime
            visitor = await self._create(
                Visitor(tenant_id, site_id, session, language=language, version=1, expires_at=expires_at)
            )
        if language is not None and visitor.language != language:
            visitor = await self.update(visitor, {"language": language})
        return visitor

    async def get_or_create_person(self, tenant_id: int, site_id: int, session: str, external_id: str) -> Visitor:
        person = await self._find_person(tenant_id, site_id, external_id)
        if person is not None:
            return await self.get_or_create(tenant_id, site_id, person.session, None)
        visitor = await self.get_or_create(tenant_id, site_id, session, None)
        if visitor.external_id == external_id:
            return visitor
        try:
            return await self.update(visitor, {"external_id": external_id})
        except DuplicateKeyError:
            person = await self._find_person(tenant_id, site_id, external_id)
            if person is None:
                raise VisitorNotFound from None
            return person

    async def _find_person(self, tenant_id: int, site_id: int, external_id: str) -> Visitor | None:
        query = {"site_id": site_id, "external_id": {"$eq": external_id, "$type": "string"}, "tenant_id": tenant_id}
        document = await self._mongo["visitors"].find_one({**query, **_NOT_BEING_ERASED})
        return to_visitor(document) if document else None

    async def remove_joined(self, visitor: Visitor) -> None:
        # Somebody who is blocked stays blocked on this device.
        await self._mongo["visitors"].delete_one(
            {"_id": visitor.key, "version": visitor.version, "blocked": None, **_NOT_BEING_ERASED}
        )

    async def _create(self, visitor: Visitor) -> Visitor:
        """Insert the visitor, or return the one that another request has inserted. Raises VisitorBeingErased."""
        try:
            await self._mongo["visitors"].insert_one(
                {"_id": visitor.key, **visitor_document(visitor), "expires_at": visitor.expires_at}
            )
        except DuplicateKeyError:
            existing = await self.find(visitor.tenant_id, visitor.site_id, visitor.session)
            if existing is None:
                raise VisitorBeingErased from None
            return existing
        return visitor

    async def _postpone_expiry(self, visitor: Visitor, expires_at: datetime) -> Visitor | None:
        """Keep a visitor who is about to write from being removed meanwhile. Returns None if they were removed."""
        now = self._clock()
        if expires_at - now > self._silent_lifetime / 2:
            return visitor
        document = await self._mongo["visitors"].find_one_and_update(
            {"_id": visitor.key, **_NOT_BEING_ERASED},
            {"$set": {"expires_at": now + self._silent_lifetime}},
            return_document=ReturnDocument.AFTER,
        )
        return None if document is None else to_visitor(document)

    async def remove_silent(self, now: datetime) -> int:
        due = {"expires_at": {"$lte": now, "$type": "date"}}
        cursor = self._mongo["visitors"].find(due).sort("expires_at", 1).limit(_REMOVAL_BATCH)
        documents = [document async for document in cursor]
        for document in documents:
            visitor = to_visitor(document)
            key = {"_id": visitor.key, **due}
            if visitor.lead_at or visitor.blocked or await self._has_conversation(visitor):
                await self._mongo["visitors"].update_one(key, {"$unset": {"expires_at": ""}})
            else:
                await self._mongo["visitors"].delete_one({**key, "version": visitor.version})
        return len(documents)

    async def _has_conversation(self, visitor: Visitor) -> bool:
        query = {"visitor_key": visitor.key, "tenant_id": visitor.tenant_id}
        return await self._mongo["conversations"].find_one(query, {"_id": 1}) is not None

    async def update(self, visitor: Visitor, fields: Mapping[str, Any]) -> Visitor:
        query = {"_id": visitor.key, "tenant_id": visitor.tenant_id, **_NOT_BEING_ERASED}
        stored = dict(fields)
        if "form" in fields:
            stored |= await with_unknown_fields(
                self._mongo,
                "visitors",
                query,
                lambda row: {"form": visitor_form_document(to_visitor_form(row.get("form")))},
                {"form": visitor_form_document(fields["form"])},
            )
        document = await self._mongo["visitors"].find_one_and_update(
            query,
            {"$set": stored, "$inc": {"version": 1}},
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            raise VisitorNotFound
        return to_visitor(document)

    async def list_blocked(self, tenant_id: int, site_id: int, after: Position | None, limit: int) -> ListPage[Visitor]:
        query = {"tenant_id": tenant_id, "site_id": site_id, "blocked_at": {"$type": "date"}}
        return await fetch_page(self._mongo, "visitors", query, "blocked_at", -1, to_visitor, after=after, limit=limit)

    async def list_leads(
        self, tenant_id: int, site_id: int, after: Position | None, skip: int, limit: int
    ) -> ListPage[Visitor]:
        query = {"tenant_id": tenant_id, "site_id": site_id, "lead_at": {"$type": "date"}}
        page = await fetch_page(
            self._mongo, "visitors", query, "lead_at", -1, to_visitor, after=after, skip=skip, limit=limit
        )
        return replace(page, total=await self._mongo["visitors"].count_documents(query))
