"""Answer tests in MongoDB, and the sample of real answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from parley.chat.answer_tests.errors import MAX_TESTS, AnswerTestNotFound, TooManyAnswerTests
from parley.chat.answer_tests.mappers import mutable_fields, test_document, to_test
from parley.chat.answer_tests.model import AnswerTest, Replay
from parley.chat.mongo_limits import stay_within
from parley.chat.newer_documents import with_unknown_fields
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "answer_tests"
_SAMPLED_FROM = 3000
"""The AI's latest answers, of which a sample is taken."""

INDEXES = [
    Index(COLLECTION, [("tenant_id", 1), ("site_id", 1), ("_id", 1)], {"name": "of_site"}),
    Index(COLLECTION, [("site_id", 1)], {"name": "site"}),
    Index(
        COLLECTION,
        [("origin.conversation_id", 1)],
        {"name": "of_conversation", "partialFilterExpression": {"origin.conversation_id": {"$type": "number"}}},
    ),
    Index(
        "messages",
        [("site_id", 1), ("created_at", -1)],
        {"name": "ai_answers", "partialFilterExpression": {"role": "ai"}},
    ),
]


class MongoAnswerTestRepository:
    """An AnswerTestRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_page(self, tenant_id: int, site_id: int, after: int, limit: int) -> list[AnswerTest]:
        query = {"tenant_id": tenant_id, "site_id": site_id, "_id": {"$gt": after}}
        return [to_test(row) async for row in self._mongo[COLLECTION].find(query, limit=limit).sort("_id", 1)]

    async def list_enabled(self, tenant_id: int, site_id: int) -> list[AnswerTest]:
        tests = await self.list_page(tenant_id, site_id, 0, 2 * MAX_TESTS)
        return [test for test in tests if test.enabled]

    async def get(self, tenant_id: int, site_id: int, test_id: int) -> AnswerTest:
        row = await self._mongo[COLLECTION].find_one(_one(tenant_id, site_id, test_id))
        if row is None:
            raise AnswerTestNotFound
        return to_test(row)

    async def add(self, tests: Sequence[AnswerTest], limit: int) -> None:
        if not tests:
            return
        group, ids = {"site_id": tests[0].site_id}, [test.id for test in tests]
        async with stay_within(self._mongo, COLLECTION, group, ids, limit, TooManyAnswerTests):
            await self._mongo[COLLECTION].insert_many([test_document(test) for test in tests])

    async def replace(self, test: AnswerTest) -> bool:
        query = _one(test.tenant_id, test.site_id, test.id)
        fields = await with_unknown_fields(
            self._mongo, COLLECTION, query, lambda row: mutable_fields(to_test(row)), mutable_fields(test)
        )
        return (await self._mongo[COLLECTION].update_one(query, {"$set": fields})).matched_count == 1

    async def delete(self, tenant_id: int, site_id: int, test_id: int) -> bool:
        result = await self._mongo[COLLECTION].delete_one(_one(tenant_id, site_id, test_id))
        return result.deleted_count == 1

    async def remove_site(self, site_id: int) -> None:
        await self._mongo[COLLECTION].delete_many({"site_id": site_id})


class MongoAnswerSampler:
    """An AnswerSampler."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def sample(self, site_id: int, since: datetime, count: int) -> Sequence[Replay]:
        query = {"site_id": site_id, "role": "ai", "created_at": {"$gte": since}}
        fields = {"conversation_id": 1, "seq": 1, "reply_to": 1}
        cursor = self._mongo["messages"].find(query, fields, limit=_SAMPLED_FROM).sort("created_at", -1)
        replies = [row async for row in cursor if row.get("reply_to") is not None]
        step = max(1.0, len(replies) / count)
        chosen = (replies[int(position * step)] for position in range(min(count, len(replies))))
        return [Replay(row["conversation_id"], row["reply_to"], row["seq"]) for row in chosen]


def _one(tenant_id: int, site_id: int, test_id: int) -> Document:
    return {"_id": test_id, "tenant_id": tenant_id, "site_id": site_id}
