"""Corrections in MongoDB, and the messages that cite what was corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pymongo import ReturnDocument

from parley.chat.conversations.mappers import to_conversation
from parley.chat.conversations.model import Conversation
from parley.chat.corrections.errors import CorrectionApplied, CorrectionNotFound
from parley.chat.corrections.model import Correction
from parley.chat.messages.mappers import operator_ref_document, to_operator_ref
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "corrections"

INDEXES = [
    Index(COLLECTION, [("tenant_id", 1), ("site_id", 1), ("_id", -1)], {"name": "of_site"}),
    Index(COLLECTION, [("site_id", 1)], {"name": "site"}),
    Index(
        COLLECTION,
        [("conversation_id", 1)],
        {"name": "of_conversation", "partialFilterExpression": {"conversation_id": {"$type": "number"}}},
    ),
    Index(
        "messages",
        [("site_id", 1), ("cited", 1), ("conversation_id", -1), ("created_at", 1), ("seq", 1)],
        {"name": "cited", "partialFilterExpression": {"cited": {"$type": "string"}}},
    ),
]


class MongoCorrectionRepository:
    """A CorrectionRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def add(self, correction: Correction) -> None:
        await self._mongo[COLLECTION].insert_one(
            {
                "_id": correction.id,
                "tenant_id": correction.tenant_id,
                "site_id": correction.site_id,
                "conversation_id": correction.conversation_id,
                "seq": correction.seq,
                "question": correction.question,
                "wrong_answer": correction.wrong_answer,
                "note": correction.note,
                "right_answer": correction.right_answer,
                "cited": list(correction.cited),
                "by": operator_ref_document(correction.by),
                "at": correction.at,
                "entry_id": correction.entry_id,
            }
        )

    async def replace_open(self, correction: Correction) -> Correction | None:
        query = {
            # The index is partial: without `$type`, MongoDB does not see that it applies.
            "conversation_id": {"$eq": correction.conversation_id, "$type": "number"},
            "tenant_id": correction.tenant_id,
            "site_id": correction.site_id,
            "seq": correction.seq,
            "by.id": correction.by.id,
            "entry_id": None,
        }
        row = await self._mongo[COLLECTION].find_one_and_update(
            query,
            {"$set": {"note": correction.note, "right_answer": correction.right_answer}},
            return_document=ReturnDocument.AFTER,
        )
        return None if row is None else _to_correction(row)

    async def get(self, tenant_id: int, site_id: int, correction_id: int) -> Correction:
        query = {"_id": correction_id, "tenant_id": tenant_id, "site_id": site_id}
        row = await self._mongo[COLLECTION].find_one(query)
        if row is None:
            raise CorrectionNotFound
        return _to_correction(row)

    async def list_page(self, tenant_id: int, site_id: int, before: int, limit: int) -> list[Correction]:
        query: Document = {"tenant_id": tenant_id, "site_id": site_id}
        if before:
            query["_id"] = {"$lt": before}
        rows = self._mongo[COLLECTION].find(query, limit=limit, hint="of_site").sort("_id", -1)
        return [_to_correction(row) async for row in rows]

    async def reserve_entry(self, correction: Correction, entry_id: int) -> int:
        row = await self._mongo[COLLECTION].find_one_and_update(
            {"_id": correction.id, "entry_id": None},
            [{"$set": {"reserved_entry_id": {"$ifNull": ["$reserved_entry_id", entry_id]}}}],
            {"reserved_entry_id": 1},
            return_document=ReturnDocument.AFTER,
        )
        if row is None:
            raise CorrectionApplied
        reserved: int = row["reserved_entry_id"]
        return reserved

    async def set_entry(self, correction: Correction, entry_id: int) -> None:
        query = {"_id": correction.id, "entry_id": None}
        await self._mongo[COLLECTION].update_one(query, {"$set": {"entry_id": entry_id}})

    async def find_affected(self, correction: Correction, before: int, limit: int) -> Mapping[int, Sequence[int]]:
        query: Document = {
            "site_id": correction.site_id,
            # The index is partial: without `$type`, MongoDB does not see that it applies.
            "cited": {"$in": list(correction.cited), "$type": "string"},
            "created_at": {"$lt": correction.at},
        }
        if before:
            query["conversation_id"] = {"$lt": before}
        affected: dict[int, list[int]] = {}
        rows = self._mongo["messages"].find(query, {"conversation_id": 1, "seq": 1}, hint="cited")
        async for row in rows.sort("conversation_id", -1):
            conversation_id = row["conversation_id"]
            if conversation_id == correction.conversation_id:
                continue
            if conversation_id not in affected and len(affected) == limit:
                break
            affected.setdefault(conversation_id, []).append(row["seq"])
        return {conversation_id: sorted(set(seqs)) for conversation_id, seqs in affected.items()}

    async def list_conversations(self, tenant_id: int, ids: Sequence[int]) -> Mapping[int, Conversation]:
        query = {"_id": {"$in": list(ids)}, "tenant_id": tenant_id}
        rows = self._mongo["conversations"].find(query, {"outbox": 0})
        return {row["_id"]: to_conversation(row) async for row in rows}

    async def list_texts(self, conversation_ids: Sequence[int]) -> list[str]:
        rows = self._mongo[COLLECTION].find(_among(conversation_ids))
        texts = [(row["question"], row["wrong_answer"], row["note"]) async for row in rows]
        return ["\n".join(filter(None, parts)) for parts in texts]

    async def remove_conversations(self, conversation_ids: Sequence[int]) -> None:
        """Remove from corrections what comes from conversations; what an operator found to be right stays."""
        removed = {"conversation_id": None, "seq": None, "question": "", "wrong_answer": "", "note": ""}
        await self._mongo[COLLECTION].update_many(_among(conversation_ids), {"$set": removed})

    async def remove_site(self, site_id: int) -> None:
        await self._mongo[COLLECTION].delete_many({"site_id": site_id})


def _among(conversation_ids: Sequence[int]) -> Document:
    return {"conversation_id": {"$in": list(conversation_ids), "$type": "number"}}


def _to_correction(row: Document) -> Correction:
    by = to_operator_ref(row["by"])
    assert by is not None, "every correction has an author"
    return Correction(
        row["_id"],
        row["tenant_id"],
        row["site_id"],
        row["conversation_id"],
        row["seq"],
        row["question"],
        row["wrong_answer"],
        row["note"],
        row["right_answer"],
        row["cited"],
        by,
        row["at"],
        row["entry_id"],
    )
