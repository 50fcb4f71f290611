"""Documents of knowledge sources in MongoDB.

A document has its live content and, where changes are reviewed, one that waits. Lists never load either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import asdict
from datetime import datetime

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from parley.chat.ids import NextId
from parley.chat.knowledge_sources.document_mappers import (
    LISTED_FIELDS,
    from_fetched,
    new_document,
    to_content,
    to_document,
)
from parley.chat.knowledge_sources.errors import DocumentNotFound, TooManyDocuments
from parley.chat.knowledge_sources.limits import MAX_DOCUMENTS
from parley.chat.knowledge_sources.model import (
    DocumentContents,
    DocumentCounts,
    DocumentStatus,
    FetchedContent,
    Source,
    SourceDocument,
    SyncError,
)
from parley.chat.knowledge_sources.ports import FoundPage
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "knowledge_documents"
_DUPLICATE_KEY = 11000
_READ_BATCH = 50

INDEXES = [
    Index(COLLECTION, [("source_id", 1), ("key", 1)], {"name": "key", "unique": True}),
    Index(COLLECTION, [("source_id", 1), ("_id", 1)], {"name": "of_source"}),
    Index(COLLECTION, [("source_id", 1), ("status", 1), ("_id", 1)], {"name": "by_status"}),
    Index(
        COLLECTION,
        [("source_id", 1), ("_id", 1)],
        {"name": "with_change", "partialFilterExpression": {"has_change": True}},
    ),
    Index(
        COLLECTION,
        [("source_id", 1), ("fetched_at", -1)],
        {"name": "latest_change", "partialFilterExpression": {"has_change": True}},
    ),
    Index(
        COLLECTION,
        [("source_id", 1), ("depth", 1), ("_id", 1)],
        {"name": "unread", "partialFilterExpression": {"unread": True}},
    ),
    Index(COLLECTION, [("source_id", 1), ("seen_run", 1)], {"name": "run"}),
    Index(
        COLLECTION,
        [("source_id", 1), ("content_hash", 1)],
        {"name": "content", "partialFilterExpression": {"content_hash": {"$type": "string"}}},
    ),
    # The two that counts are read from, without the documents.
    Index(
        COLLECTION,
        [("source_id", 1), ("status", 1), ("unread", 1), ("has_change", 1), ("passages", 1)],
        {"name": "counts"},
    ),
    Index(COLLECTION, [("site_id", 1), ("passages", 1)], {"name": "of_site"}),
]


class MongoDocumentRepository:
    """A DocumentRepository."""

    def __init__(self, mongo: Mongo, next_id: NextId) -> None:
        self._mongo = mongo
        self._next_id = next_id

    async def list_page(
        self, source: Source, status: DocumentStatus | None, pending: bool, after: int, limit: int
    ) -> list[SourceDocument]:
        query: Document = {"source_id": source.id, "_id": {"$gt": after}}
        if status is not None:
            query["status"] = status
        if pending:
            query["has_change"] = True
        rows = self._mongo[COLLECTION].find(query, LISTED_FIELDS, limit=limit)
        return [to_document(row) async for row in rows.sort("_id", 1)]

    async def get(self, source: Source, document_id: int) -> SourceDocument:
        row = await self._mongo[COLLECTION].find_one(_one(source, document_id), LISTED_FIELDS)
        if row is None:
            raise DocumentNotFound
        return to_document(row)

    async def get_contents(self, source: Source, document_id: int) -> DocumentContents:
        row = await self._mongo[COLLECTION].find_one(_one(source, document_id), {"content": 1, "change": 1})
        if row is None:
            raise DocumentNotFound
        return DocumentContents(to_content(row.get("content")), to_content((row.get("change") or {}).get("content")))

    async def count(self, sources: Sequence[Source]) -> dict[int, DocumentCounts]:
        def with_status(status: DocumentStatus) -> Document:
            return {"$sum": {"$cond": [{"$eq": ["$status", status]}, 1, 0]}}

        group = {
            "_id": "$source_id",
            "total": {"$sum": 1},
            "done": {"$sum": {"$cond": [{"$eq": ["$unread", True]}, 0, 1]}},
            "ready": with_status("ready"),
            "failed": with_status("failed"),
            "skipped": with_status("skipped"),
            "pending": {"$sum": {"$cond": [{"$eq": ["$has_change", True]}, 1, 0]}},
            "passages": {"$sum": "$passages"},
        }
        match = {"source_id": {"$in": [source.id for source in sources]}}
        cursor = await self._mongo[COLLECTION].aggregate([{"$match": match}, {"$group": group}], hint="counts")
        counted = {row.pop("_id"): DocumentCounts(**row) async for row in cursor}
        return {source.id: counted.get(source.id, DocumentCounts()) for source in sources}

    async def count_of_site(self, site_id: int) -> tuple[int, int]:
        group = {"$group": {"_id": None, "documents": {"$sum": 1}, "passages": {"$sum": "$passages"}}}
        cursor = await self._mongo[COLLECTION].aggregate([{"$match": {"site_id": site_id}}, group], hint="of_site")
        rows = [row async for row in cursor]
        return (rows[0]["documents"], rows[0]["passages"]) if rows else (0, 0)

    async def discover(self, source: Source, pages: Sequence[FoundPage], limit: int) -> int:
        run = source.sync.run
        seen = await self._mongo[COLLECTION].count_documents({"source_id": source.id, "seen_run": run}, limit=limit)
        depths = {page.url: page.depth for page in reversed(pages)}
        query = {"source_id": source.id, "key": {"$in": list(depths)}}
        known = {
            row["key"]: row["seen_run"] async for row in self._mongo[COLLECTION].find(query, {"key": 1, "seen_run": 1})
        }
        new_pages = [page for page in depths if known.get(page) != run][::-1][: max(0, limit - seen)]
        writes: list[UpdateOne | InsertOne[Document]] = []
        for url in new_pages:
            if url in known:
                change = {"$set": {"seen_run": run, "unread": True, "depth": depths[url]}}
                writes.append(UpdateOne({"source_id": source.id, "key": url, "seen_run": {"$ne": run}}, change))
            else:
                row = new_document(await self._next_id(), source, url, url, depths[url])
                writes.append(InsertOne(row))
        if writes:
            await self._write_new(writes)
        return len(writes)

    async def add_file(self, source: Source, name: str, object_name: str, size: int) -> tuple[int, str | None]:
        change = {"$set": {"object_name": object_name, "size": size, "unread": True}}
        for _ in range(2):
            query = {"source_id": source.id, "key": name}
            before = await self._mongo[COLLECTION].find_one_and_update(query, change, {"object_name": 1})
            if before is not None:
                return before["_id"], before.get("object_name")
            documents, _passages = await self.count_of_site(source.site_id)
            if documents >= MAX_DOCUMENTS:
                raise TooManyDocuments
            row = new_document(await self._next_id(), source, name, None, 0)
            if await self._write_new([InsertOne({**row, "object_name": object_name, "size": size})]):
                return row["_id"], None
        raise DocumentNotFound

    async def has_object(self, source_id: int, object_name: str) -> bool:
        query = {"source_id": source_id, "object_name": object_name}
        return await self._mongo[COLLECTION].find_one(query, {"_id": 1}) is not None

    async def restart(self, source: Source) -> None:
        await self._mongo[COLLECTION].update_many({"source_id": source.id}, {"$set": {"unread": True}})

    async def next_unread(self, source: Source) -> SourceDocument | None:
        query: Document = {"source_id": source.id, "unread": True}
        if source.is_web:
            query["seen_run"] = source.sync.run
        row = await self._mongo[COLLECTION].find_one(query, LISTED_FIELDS, sort=[("depth", 1), ("_id", 1)])
        return None if row is None else to_document(row)

    async def has_unread(self, source_id: int) -> bool:
        return await self._mongo[COLLECTION].find_one({"source_id": source_id, "unread": True}, {"_id": 1}) is not None

    async def find_duplicate(self, document: SourceDocument, content_hash: str) -> str | None:
        query = {
            "source_id": document.source_id,
            "content_hash": {"$eq": content_hash, "$type": "string"},
            "status": "ready",
            "_id": {"$ne": document.id},
        }
        row = await self._mongo[COLLECTION].find_one(query, {"key": 1})
        return None if row is None else row["key"]

    async def get_links(self, document: SourceDocument) -> Sequence[str]:
        row = await self._mongo[COLLECTION].find_one({"_id": document.id}, {"links": 1})
        return [] if row is None else row.get("links", [])

    async def store_unchanged(self, document: SourceDocument, now: datetime) -> None:
        status: DocumentStatus = "ready" if document.content_hash else "waiting"
        change = {"unread": False, "status": status, "fault": None, "fetched_at": now}
        await self._mongo[COLLECTION].update_one(_same_object(document), {"$set": change})

    async def store_content(
        self, document: SourceDocument, fetched: FetchedContent, links: Sequence[str], now: datetime, *, review: bool
    ) -> None:
        content = from_fetched(fetched)
        is_live = content["content_hash"] == document.content_hash
        change: Document = {
            "unread": False,
            "fault": None,
            "fetched_at": now,
            "size": fetched.size,
            "etag": fetched.validators.etag,
            "last_modified": fetched.validators.last_modified,
            "links": list(links),
        }
        if review and not is_live:
            status: DocumentStatus = "ready" if document.content_hash else "waiting"
            change |= {"status": status, "change": content, "has_change": True}
            await self._mongo[COLLECTION].update_one(_same_object(document), {"$set": change})
            return
        change |= {"status": "ready", "has_change": False, **({} if is_live else content)}
        update: Document = {"$set": change, "$unset": {"change": ""}}
        if not is_live:
            update["$inc"] = {"version": 1}
        await self._mongo[COLLECTION].update_one(_same_object(document), update)

    async def store_error(
        self, document: SourceDocument, status: DocumentStatus, error: SyncError, now: datetime, *, keep: bool
    ) -> None:
        change: Document = {"unread": False, "status": status, "fault": asdict(error), "fetched_at": now}
        update: Document = {"$set": change}
        if not keep:
            change |= {"has_change": False, "passages": 0, "etag": None, "last_modified": None}
            update["$unset"] = {"content": "", "content_hash": "", "change": "", "links": ""}
        await self._mongo[COLLECTION].update_one(_same_object(document), update)

    async def keep_unseen(self, source: Source) -> None:
        query = {"source_id": source.id, "seen_run": {"$lt": source.sync.run}}
        await self._mongo[COLLECTION].update_many(query, {"$set": {"seen_run": source.sync.run, "unread": True}})

    async def remove_unseen(self, source: Source) -> int:
        query = {"source_id": source.id, "seen_run": {"$lt": source.sync.run}}
        return (await self._mongo[COLLECTION].delete_many(query)).deleted_count

    async def set_enabled(self, document: SourceDocument, enabled: bool) -> bool:
        result = await self._mongo[COLLECTION].update_one({"_id": document.id}, {"$set": {"enabled": enabled}})
        return result.matched_count == 1

    async def find_latest_change(self, source: Source, document_id: int | None) -> datetime | None:
        query = _with_change(source, document_id)
        order = None if document_id is not None else [("fetched_at", -1)]
        row = await self._mongo[COLLECTION].find_one(query, {"fetched_at": 1}, sort=order)
        return None if row is None else row["fetched_at"]

    async def approve(self, source: Source, document_id: int | None) -> int:
        query = _with_change(source, document_id)
        fields = ("content", "content_hash", "title", "language", "passages")
        change: Document = {name: f"$change.{name}" for name in fields}
        change |= {"status": "ready", "fault": None, "has_change": False, "change": "$$REMOVE"}
        change["version"] = {"$add": ["$version", 1]}
        return (await self._mongo[COLLECTION].update_many(query, [{"$set": change}])).modified_count

    async def reject(self, source: Source, document_id: int) -> bool:
        query = {**_one(source, document_id), "has_change": True}
        # Without the validators, the next sync reads the page again.
        update = {"$set": {"has_change": False, "etag": None, "last_modified": None}, "$unset": {"change": ""}}
        return (await self._mongo[COLLECTION].update_one(query, update)).modified_count == 1

    async def remove(self, document: SourceDocument) -> bool:
        return (await self._mongo[COLLECTION].delete_one({"_id": document.id})).deleted_count == 1

    async def list_objects(self, source_id: int, limit: int) -> Sequence[tuple[int, str | None]]:
        rows = self._mongo[COLLECTION].find({"source_id": source_id}, {"object_name": 1}, limit=limit)
        return [(row["_id"], row.get("object_name")) async for row in rows]

    async def remove_all(self, document_ids: Collection[int]) -> None:
        await self._mongo[COLLECTION].delete_many({"_id": {"$in": list(document_ids)}})

    async def read_live(
        self, sources: Sequence[Source], *, with_changes: bool = False
    ) -> AsyncIterator[tuple[SourceDocument, DocumentContents]]:
        enabled = [source.id for source in sources if source.options.enabled]
        query: Document = {"source_id": {"$in": enabled}, "enabled": True}
        left_out = {"links": 0}
        if with_changes:
            query["$or"] = [{"content_hash": {"$type": "string"}}, {"has_change": True}]
        else:
            query["content_hash"] = {"$type": "string"}
            left_out["change"] = 0
        async for row in self._mongo[COLLECTION].find(query, left_out, batch_size=_READ_BATCH):
            change = row.get("change") or {}
            yield to_document(row), DocumentContents(to_content(row.get("content")), to_content(change.get("content")))

    async def _write_new(self, writes: Sequence[UpdateOne | InsertOne[Document]]) -> bool:
        """False if another request has added one of these documents already."""
        try:
            await self._mongo[COLLECTION].bulk_write(list(writes), ordered=False)
        except BulkWriteError as exc:
            if any(error["code"] != _DUPLICATE_KEY for error in exc.details["writeErrors"]):
                raise
            return False
        return True


def _one(source: Source, document_id: int) -> Document:
    return {"_id": document_id, "source_id": source.id}


def _same_object(document: SourceDocument) -> Document:
    """A file that was replaced meanwhile is read again: what was read of the one before is not stored."""
    return {"_id": document.id, "object_name": document.object_name}


def _with_change(source: Source, document_id: int | None) -> Document:
    return {"source_id": source.id, "has_change": True, **({} if document_id is None else {"_id": document_id})}
