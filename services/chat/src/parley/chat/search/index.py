"""The search index in MongoDB, as it is written.

A document is written to `search_documents` once. While it is `open`, a multikey index on its terms finds it. When a
tenant has enough open documents, a segment is built of the oldest: pages of postings in `search_pages`, by segment and
beginning of the term. `ref` is a document's segment and position there. See docs/decisions/0009.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bson import Int64, ObjectId
from pymongo import DeleteOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, DuplicateKeyError

from parley.chat.search.model import SearchDocument
from parley.chat.search.pages import Page
from parley.chat.search.postings import (
    SEGMENT_POSITIONS,
    decode_positions,
    kind_term,
    page_of,
    site_term,
)
from parley.common.mongodb import Document, Index, Mongo

DOCUMENTS = "search_documents"
PAGES = "search_pages"
SEGMENTS = "search_segments"

_DUPLICATE_KEY = 11000
_OPEN = {"open": True}
_REMOVED_PER_READ = 500

INDEXES = [
    Index(
        DOCUMENTS,
        [("tenant_id", 1), ("terms", 1), ("at", -1), ("_id", -1)],
        {"name": "open_terms", "partialFilterExpression": _OPEN},
    ),
    Index(DOCUMENTS, [("tenant_id", 1), ("at", 1), ("_id", 1)], {"name": "open", "partialFilterExpression": _OPEN}),
    Index(DOCUMENTS, [("ref", 1)], {"name": "ref", "partialFilterExpression": {"ref": {"$exists": True}}}),
    Index(DOCUMENTS, [("conversation_id", 1)], {"name": "of_conversation"}),
    Index(SEGMENTS, [("tenant_id", 1), ("max_at", -1)], {"name": "newest"}),
    # At most one segment of a tenant is built at a time.
    Index(
        SEGMENTS,
        [("tenant_id", 1)],
        {"name": "unfinished", "unique": True, "partialFilterExpression": {"unfinished": True}},
    ),
]


class SearchIndex:
    """Writes documents to the index, and removes them with all that the index has of them."""

    def __init__(self, mongo: Mongo | AsyncDatabase[Document]) -> None:
        self._mongo = mongo

    async def put(self, documents: Sequence[SearchDocument]) -> None:
        """Write documents. One that is in the index already changes nothing, unless its version or terms do."""
        if not documents:
            return
        rows = [_to_row(document) for document in documents]
        try:
            await self._mongo[DOCUMENTS].insert_many(rows, ordered=False)
        except BulkWriteError as exc:
            errors = exc.details.get("writeErrors", [])
            if any(error.get("code") != _DUPLICATE_KEY for error in errors):
                raise
            await self._replace([rows[error["index"]] for error in errors])

    async def remove(self, ids: Sequence[str]) -> int:
        """Remove documents by id. Returns how many there were."""
        return await self._remove({"_id": {"$in": list(ids)}})

    async def remove_conversations(self, conversation_ids: Sequence[int]) -> int:
        """Remove everything of these conversations. Returns how many documents there were."""
        return await self._remove({"conversation_id": {"$in": list(conversation_ids)}})

    async def remove_site(self, tenant_id: int, site_id: int) -> int:
        """Remove everything of a site. Returns how many documents there were."""
        removed = 0
        segments = self._mongo[SEGMENTS].find({"tenant_id": tenant_id, "sites": site_id}, {"_id": 1})
        for number in [segment["_id"] async for segment in segments]:
            removed += await self._remove({"ref": refs_of(number), "site_id": site_id})
            await self._mongo[SEGMENTS].update_one({"_id": number}, {"$pull": {"sites": site_id}})
        return removed + await self._remove({"tenant_id": tenant_id, "open": True, "site_id": site_id})

    async def clear_postings(self, rows: Sequence[Document], *, refs: Mapping[str, int] | None = None) -> None:
        """Remove rows from the pages of their segments. `refs` are their places if the rows do not have them yet."""
        wanted: dict[str, dict[str, int]] = {}
        for row in rows:
            ref = refs[row["_id"]] if refs is not None else row["ref"]
            segment, position = divmod(ref, SEGMENT_POSITIONS)
            for term in row_terms(row):
                bits = wanted.setdefault(page_id(segment, page_of(term)), {})
                bits[term] = bits.get(term, 0) | 1 << position
        for page, terms in wanted.items():
            await self._clear_page(page, terms)

    async def _replace(self, rows: Sequence[Document]) -> None:
        stored = self._mongo[DOCUMENTS].find({"_id": {"$in": [row["_id"] for row in rows]}})
        by_id = {row["_id"]: row async for row in stored}
        for row in rows:
            existing = by_id.get(row["_id"])
            if existing is not None:
                newer = row["version"] > existing["version"]
                same_version = row["version"] == existing["version"]
                if not newer and not (same_version and row["terms"] != existing["terms"]):
                    continue
                await self.remove([row["_id"]])
            try:
                await self._mongo[DOCUMENTS].insert_one(row)
            except DuplicateKeyError:
                # Written concurrently: decide again.
                await self._replace([row])

    async def _remove(self, query: Document) -> int:
        removed = 0
        while rows := await self._mongo[DOCUMENTS].find(query).limit(_REMOVED_PER_READ).to_list():
            # The document last: after a crash in between, it is found and removed again.
            await self.clear_postings([row for row in rows if row.get("ref") is not None])
            # Not those that got a place in a segment meanwhile: they are read again.
            deletes = [DeleteOne({"_id": row["_id"], "ref": row.get("ref")}) for row in rows]
            removed += (await self._mongo[DOCUMENTS].bulk_write(deletes, ordered=False)).deleted_count
        return removed

    async def _clear_page(self, page: str, terms: Mapping[str, int]) -> None:
        while True:
            stored = await self._mongo[PAGES].find_one({"_id": page})
            if stored is None:
                return
            remaining = to_page(stored).without(terms)
            unchanged = {"_id": page, "version": stored["version"]}
            if remaining is None:
                done = (await self._mongo[PAGES].delete_one(unchanged)).deleted_count
            else:
                update = {"$set": {**remaining.to_fields(), "version": stored["version"] + 1}}
                done = (await self._mongo[PAGES].update_one(unchanged, update)).matched_count
            if done:
                return


def to_page(row: Document) -> Page:
    """A stored page, also one that migration 11 has not packed."""
    terms = row["terms"]
    if isinstance(terms, str):
        return Page.from_fields(row)
    return Page.build({term: decode_positions(data) for term, data in terms.items()})


def page_id(segment: int, page: str) -> str:
    return f"{segment}:{page}"


def refs_of(segment: int) -> Document:
    """The condition for the places of a segment."""
    first = segment * SEGMENT_POSITIONS
    return {"$gte": Int64(first), "$lt": Int64(first + SEGMENT_POSITIONS)}


def row_terms(row: Document) -> list[str]:
    """The terms of a row, also those that no text has."""
    return [*row["terms"], site_term(row["site_id"]), kind_term(row["kind"])]


def _to_row(document: SearchDocument) -> Document:
    return {
        "_id": document.id,
        "tenant_id": document.tenant_id,
        "site_id": document.site_id,
        "conversation_id": document.conversation_id,
        "kind": document.kind,
        "source_id": document.source_id,
        "at": document.at,
        "terms": list(document.terms),
        "version": document.version,
        # Tells a document from one that replaces it, for a segment that is being built of it.
        "revision": ObjectId(),
        "open": True,
    }
