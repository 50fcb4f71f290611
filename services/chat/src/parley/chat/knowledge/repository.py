"""Knowledge entries in MongoDB."""

from __future__ import annotations

from pymongo.errors import DuplicateKeyError

from parley.chat.knowledge.errors import MAX_ENTRIES, KnowledgeFull
from parley.chat.knowledge.model import KnowledgeEntry, entries_version
from parley.chat.mongo_limits import stay_within
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "knowledge"

INDEXES = [Index(COLLECTION, [("site_id", 1), ("_id", 1)], {"name": "site"})]


class MongoKnowledgeRepository:
    """A KnowledgeRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_page(self, site_id: int, after: int, limit: int) -> list[KnowledgeEntry]:
        cursor = self._mongo[COLLECTION].find({"site_id": site_id, "_id": {"$gt": after}}, limit=limit)
        return [_to_entry(document) async for document in cursor.sort("_id", 1)]

    async def find_version(self, site_id: int) -> str:
        """Of all entries of a site. Implements EntriesReader of answer tests."""
        return entries_version(await self.list_page(site_id, 0, 2 * MAX_ENTRIES))

    async def add(self, entry: KnowledgeEntry, limit: int) -> bool:
        document = {
            "_id": entry.id,
            "tenant_id": entry.tenant_id,
            "site_id": entry.site_id,
            "question": entry.question,
            "answer": entry.answer,
        }
        group = {"site_id": entry.site_id}
        async with stay_within(self._mongo, COLLECTION, group, [entry.id], limit, KnowledgeFull):
            try:
                await self._mongo[COLLECTION].insert_one(document)
            except DuplicateKeyError:
                return False
            return True

    async def find(self, tenant_id: int, site_id: int, entry_id: int) -> KnowledgeEntry | None:
        query = {"_id": entry_id, "tenant_id": tenant_id, "site_id": site_id}
        document = await self._mongo[COLLECTION].find_one(query)
        return None if document is None else _to_entry(document)

    async def replace(self, before: KnowledgeEntry, after: KnowledgeEntry) -> bool:
        contents = [{"question": entry.question, "answer": entry.answer} for entry in (before, after)]
        query = {"_id": before.id, "tenant_id": before.tenant_id, "site_id": before.site_id, "$or": contents}
        return (await self._mongo[COLLECTION].update_one(query, {"$set": contents[1]})).matched_count == 1

    async def delete(self, tenant_id: int, site_id: int, entry_id: int) -> bool:
        result = await self._mongo[COLLECTION].delete_one({"_id": entry_id, "tenant_id": tenant_id, "site_id": site_id})
        return result.deleted_count == 1


def _to_entry(document: Document) -> KnowledgeEntry:
    return KnowledgeEntry(
        document["_id"], document["tenant_id"], document["site_id"], document["question"], document["answer"]
    )
