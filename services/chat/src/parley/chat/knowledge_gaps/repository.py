"""Unanswered questions and gaps in MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter

from bson import Binary
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.chat.knowledge_gaps.errors import GapAnswered, GapNotFound
from parley.chat.knowledge_gaps.model import Gap, GapLeader, GapState, UnansweredQuestion, WeekCount
from parley.common.mongodb import Document, Index, Mongo

QUESTIONS = "unanswered_questions"
GAPS = "knowledge_gaps"
CLAIMS = "knowledge_gap_claims"

INDEXES = [
    Index(
        QUESTIONS,
        [("site_id", 1), ("waiting", 1), ("at", 1)],
        {"name": "waiting_of_site", "partialFilterExpression": {"waiting": True}},
    ),
    Index(QUESTIONS, [("gap_id", 1), ("at", -1), ("language", 1)], {"name": "of_gap"}),
    Index(QUESTIONS, [("site_id", 1), ("at", 1), ("gap_id", 1)], {"name": "of_site"}),
    Index(QUESTIONS, [("conversation_id", 1)], {"name": "of_conversation"}),
    Index(
        GAPS,
        [("tenant_id", 1), ("site_id", 1), ("state", 1), ("count", -1), ("_id", -1)],
        {"name": "by_count"},
    ),
    Index(GAPS, [("site_id", 1), ("last_asked_at", -1)], {"name": "recent"}),
    Index(GAPS, [("conversation_id", 1)], {"name": "of_conversation"}),
]


class MongoGapRepository:
    """A GapRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_waiting_sites(self, limit: int) -> list[tuple[int, int]]:
        # The first of each site in the index: a site with many questions does not hide the others.
        first = {"tenant_id": {"$first": "$tenant_id"}, "at": {"$first": "$at"}}
        pipeline: list[Document] = [
            {"$match": {"waiting": True}},
            {"$sort": {"site_id": 1, "waiting": 1, "at": 1}},
            {"$group": {"_id": "$site_id", **first}},
        ]
        cursor = await self._mongo[QUESTIONS].aggregate(pipeline, hint="waiting_of_site")
        sites = sorted([row async for row in cursor], key=itemgetter("at"))
        return [(site["tenant_id"], site["_id"]) for site in sites[:limit]]

    async def claim_site(self, site_id: int, now: datetime, until: datetime) -> bool:
        try:
            await self._mongo[CLAIMS].update_one(
                {"_id": site_id, "until": {"$lte": now}}, {"$set": {"until": until}}, upsert=True
            )
        except DuplicateKeyError:
            return False
        return True

    async def release_site(self, site_id: int, now: datetime) -> None:
        await self._mongo[CLAIMS].update_one({"_id": site_id}, {"$set": {"until": now}})

    async def list_waiting(self, site_id: int, limit: int) -> list[UnansweredQuestion]:
        query = {"site_id": site_id, "waiting": True}
        return [_to_question(row) async for row in self._mongo[QUESTIONS].find(query, limit=limit).sort("at", 1)]

    async def list_leaders(self, site_id: int, limit: int) -> list[GapLeader]:
        fields = {"question": 1, "language": 1, "vector": 1, "model": 1}
        rows = self._mongo[GAPS].find({"site_id": site_id}, fields, limit=limit).sort("last_asked_at", -1)
        return [
            GapLeader(row["_id"], row["question"], row["language"], row.get("vector"), row.get("model", ""))
            async for row in rows
        ]

    async def set_vector(self, leader: GapLeader) -> None:
        # Not if an erasure has replaced the question meanwhile.
        query = {"_id": leader.gap_id, "question": leader.question}
        await self._mongo[GAPS].update_one(query, {"$set": _vector_fields(leader.vector, leader.model)})

    async def add(self, gap_id: int, question: UnansweredQuestion, vector: bytes | None, model: str) -> None:
        await self._mongo[GAPS].insert_one(
            {
                "_id": gap_id,
                "tenant_id": question.tenant_id,
                "site_id": question.site_id,
                "state": "open",
                **_leader_fields(question),
                **_vector_fields(vector, model),
                "count": 0,
                "last_asked_at": question.at,
                "languages": [],
            }
        )

    async def assign(self, question: UnansweredQuestion, gap_id: int) -> None:
        result = await self._mongo[QUESTIONS].update_one(
            {"_id": question.id, "waiting": True}, {"$set": {"gap_id": gap_id}, "$unset": {"waiting": ""}}
        )
        if result.matched_count:
            await self._mongo[GAPS].update_one(
                {"_id": gap_id, "state": "answered", "answered_at": {"$lt": question.at}},
                {"$set": {"state": "open", "reopened_at": question.at}},
            )

    async def recount(self, gap_ids: Sequence[int]) -> None:
        pipeline: list[Document] = [
            {"$match": {"gap_id": {"$in": list(gap_ids)}}},
            {
                "$group": {
                    "_id": "$gap_id",
                    "count": {"$sum": 1},
                    "last_asked_at": {"$max": "$at"},
                    "languages": {"$addToSet": "$language"},
                }
            },
        ]
        async for row in await self._mongo[QUESTIONS].aggregate(pipeline, hint="of_gap"):
            languages = sorted(language for language in row["languages"] if language)
            counted = {"count": row["count"], "last_asked_at": row["last_asked_at"], "languages": languages}
            await self._mongo[GAPS].update_one({"_id": row["_id"]}, {"$set": counted})

    async def list_page(
        self, tenant_id: int, site_id: int, state: GapState, after: tuple[int, int] | None, limit: int
    ) -> list[Gap]:
        query: Document = {"tenant_id": tenant_id, "site_id": site_id, "state": state}
        if after is not None:
            count, last_id = after
            # Each of the alternatives is a range of the index.
            query = {"$and": [query, {"$or": [{"count": {"$lt": count}}, {"count": count, "_id": {"$lt": last_id}}]}]}
        rows = self._mongo[GAPS].find(query, {"vector": 0}, limit=limit)
        return [_to_gap(row) async for row in rows.sort([("count", -1), ("_id", -1)])]

    async def get(self, tenant_id: int, site_id: int, gap_id: int) -> Gap:
        query = {"_id": gap_id, "tenant_id": tenant_id, "site_id": site_id}
        row = await self._mongo[GAPS].find_one(query, {"vector": 0})
        if row is None:
            raise GapNotFound
        return _to_gap(row)

    async def list_questions(self, gap: Gap, limit: int) -> list[UnansweredQuestion]:
        rows = self._mongo[QUESTIONS].find({"gap_id": gap.id}, limit=limit).sort("at", -1)
        return [_to_question(row) async for row in rows]

    async def count_weeks(self, gap: Gap, since: datetime) -> list[WeekCount]:
        week = {"$dateTrunc": {"date": "$at", "unit": "week", "startOfWeek": "monday"}}
        pipeline: list[Document] = [
            {"$match": {"site_id": gap.site_id, "at": {"$gte": since}}},
            {
                "$group": {
                    "_id": week,
                    "count": {"$sum": {"$cond": [{"$eq": ["$gap_id", gap.id]}, 1, 0]}},
                    "total": {"$sum": 1},
                }
            },
        ]
        rows = await self._mongo[QUESTIONS].aggregate(pipeline, hint="of_site")
        weeks = [WeekCount(row["_id"], row["count"], row["total"]) async for row in rows]
        return sorted(weeks, key=lambda week: week.week)

    async def set_state(self, gap: Gap, state: GapState, at: datetime) -> bool:
        change: Document = _answered(at, None) if state == "answered" else {"$set": {"state": state}}
        query = {"_id": gap.id, "state": {"$ne": state}}
        return (await self._mongo[GAPS].update_one(query, change)).matched_count == 1

    async def reserve_entry(self, gap: Gap, entry_id: int) -> int:
        row = await self._mongo[GAPS].find_one_and_update(
            {"_id": gap.id, "state": {"$ne": "answered"}},
            [{"$set": {"reserved_entry_id": {"$ifNull": ["$reserved_entry_id", entry_id]}}}],
            {"reserved_entry_id": 1},
            return_document=ReturnDocument.AFTER,
        )
        if row is None:
            raise GapAnswered
        reserved: int = row["reserved_entry_id"]
        return reserved

    async def set_entry(self, gap: Gap, entry_id: int, at: datetime) -> None:
        query = {"_id": gap.id, "reserved_entry_id": entry_id}
        await self._mongo[GAPS].update_one(query, _answered(at, entry_id))

    async def remove_conversations(self, conversation_ids: Sequence[int]) -> None:
        """Remove the questions of conversations; a gap that one of them leads is led by another one, or removed."""
        among = {"conversation_id": {"$in": list(conversation_ids)}}
        gap_ids = set(await self._mongo[QUESTIONS].distinct("gap_id", among))
        led = {row["_id"] async for row in self._mongo[GAPS].find(among, {"_id": 1})}
        await self._mongo[QUESTIONS].delete_many(among)
        for gap_id in (gap_ids | led) - {None}:
            rest = await self._mongo[QUESTIONS].find_one({"gap_id": gap_id}, sort=[("at", -1)])
            if rest is None:
                await self._mongo[GAPS].delete_one({"_id": gap_id})
            elif gap_id in led:
                await self._mongo[GAPS].update_one(
                    {"_id": gap_id},
                    {"$set": _leader_fields(_to_question(rest)), "$unset": {"vector": "", "model": ""}},
                )
        await self.recount(sorted(gap_ids - {None}))

    async def list_texts(self, conversation_ids: Sequence[int]) -> list[str]:
        query = {"conversation_id": {"$in": list(conversation_ids)}}
        return [row["text"] async for row in self._mongo[QUESTIONS].find(query, {"text": 1})]

    async def remove_site(self, site_id: int) -> None:
        await self._mongo[QUESTIONS].delete_many({"site_id": site_id, "at": {"$exists": True}}, hint="of_site")
        await self._mongo[GAPS].delete_many({"site_id": site_id})
        await self._mongo[CLAIMS].delete_one({"_id": site_id})


def question_document(question: UnansweredQuestion) -> Document:
    return {
        "_id": question.id,
        "tenant_id": question.tenant_id,
        "site_id": question.site_id,
        "conversation_id": question.conversation_id,
        "seq": question.seq,
        "text": question.text,
        "language": question.language,
        "outcome": question.outcome,
        "at": question.at,
        "waiting": True,
    }


def _answered(at: datetime, entry_id: int | None) -> Document:
    # A gap that is opened again gets another entry.
    return {
        "$set": {"state": "answered", "answered_at": at, "entry_id": entry_id},
        "$unset": {"reserved_entry_id": ""},
    }


def _to_question(row: Document) -> UnansweredQuestion:
    return UnansweredQuestion(
        row["tenant_id"],
        row["site_id"],
        row["conversation_id"],
        row["seq"],
        row["text"],
        row["language"],
        row["outcome"],
        row["at"],
    )


def _leader_fields(question: UnansweredQuestion) -> Document:
    return {
        "question": question.text,
        "language": question.language,
        "conversation_id": question.conversation_id,
    }


def _vector_fields(vector: bytes | None, model: str) -> Document:
    return {"vector": None if vector is None else Binary(vector), "model": model}


def _to_gap(row: Document) -> Gap:
    return Gap(
        row["_id"],
        row["tenant_id"],
        row["site_id"],
        row["state"],
        row["question"],
        row["language"],
        row["count"],
        row["last_asked_at"],
        row["languages"],
        row.get("entry_id"),
        row.get("answered_at"),
        row.get("reopened_at"),
    )
