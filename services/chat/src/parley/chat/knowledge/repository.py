"""Knowledge entries in MongoDB, with a text index of each site's own words."""

from __future__ import annotations

from collections.abc import Sequence

from parley.chat.conversations.ports import Passage
from parley.chat.knowledge.service import KnowledgeEntry
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "knowledge"

INDEXES = [
    Index(COLLECTION, [("site_id", 1), ("_id", 1)], {"name": "site"}),
    Index(
        COLLECTION,
        [("site_id", 1), ("question", "text"), ("answer", "text")],
        # No stemming and no stop words: sites speak many languages, and one index serves them all.
        {"name": "words", "weights": {"question": 3, "answer": 1}, "default_language": "none"},
    ),
]


class MongoKnowledge:
    """A KnowledgeStore."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def page(self, site_id: int, after: int, limit: int) -> list[KnowledgeEntry]:
        found = self._mongo[COLLECTION].find({"site_id": site_id, "_id": {"$gt": after}}, limit=limit)
        return [_entry(row) async for row in found.sort("_id", 1)]

    async def count(self, site_id: int, most: int) -> int:
        return await self._mongo[COLLECTION].count_documents({"site_id": site_id}, limit=most)

    async def add(self, entry: KnowledgeEntry) -> None:
        await self._mongo[COLLECTION].insert_one(
            {
                "_id": entry.id,
                "tenant_id": entry.tenant_id,
                "site_id": entry.site_id,
                "question": entry.question,
                "answer": entry.answer,
            }
        )

    async def replace(self, entry: KnowledgeEntry) -> bool:
        done = await self._mongo[COLLECTION].update_one(
            {"_id": entry.id, "tenant_id": entry.tenant_id, "site_id": entry.site_id},
            {"$set": {"question": entry.question, "answer": entry.answer}},
        )
        return done.matched_count == 1

    async def remove(self, tenant_id: int, site_id: int, entry_id: int) -> bool:
        done = await self._mongo[COLLECTION].delete_one({"_id": entry_id, "tenant_id": tenant_id, "site_id": site_id})
        return done.deleted_count == 1

    async def search(self, site_id: int, text: str, limit: int) -> Sequence[Passage]:
        score = {"$meta": "textScore"}
        query = {"site_id": site_id, "$text": {"$search": _words(text)}}
        found = self._mongo[COLLECTION].find(query, {"question": 1, "answer": 1, "score": score}, limit=limit)
        return [Passage(row["question"], row["answer"], row["score"]) async for row in found.sort([("score", score)])]


def _words(text: str) -> str:
    """A visitor's words without what a text search would take for its own: quoted phrases and negations."""
    return text.replace('"', " ").replace("-", " ")


def _entry(row: Document) -> KnowledgeEntry:
    return KnowledgeEntry(row["_id"], row["tenant_id"], row["site_id"], row["question"], row["answer"])
