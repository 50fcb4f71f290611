"""What answer tests and their runs have from visitors' chats, for export and erasure."""

from __future__ import annotations

from collections.abc import Sequence

from parley.chat.answer_tests.repository import COLLECTION as TESTS
from parley.chat.answer_tests.run_repository import RESULTS
from parley.chat.privacy.model import DerivedText
from parley.common.mongodb import Document, Mongo


class AnswerTestData:
    """Implements DerivedData.

    A test whose question is what the visitor wrote is deleted. One that a person has put into other words stays, but
    not where it comes from.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_texts(self, conversation_ids: Sequence[int]) -> Sequence[DerivedText]:
        among = _among(conversation_ids)
        tests = self._mongo[TESTS].find({"origin.conversation_id": among}, {"question": 1})
        texts = [DerivedText("answer_test", row["question"]) async for row in tests]
        results = self._mongo[RESULTS].find({"conversation_id": among, "done": True}, {"candidate.text": 1})
        async for row in results:
            texts.append(DerivedText("test_answer", (row["candidate"] or {}).get("text", "")))
        return texts

    async def remove(self, conversation_ids: Sequence[int]) -> None:
        among = _among(conversation_ids)
        from_chats = {"origin.conversation_id": among}
        await self._mongo[TESTS].delete_many({**from_chats, "origin.verbatim": True})
        await self._mongo[TESTS].update_many(from_chats, {"$set": {"origin": {"kind": "chat"}}})
        await self._mongo[RESULTS].delete_many({"conversation_id": among})


def _among(conversation_ids: Sequence[int]) -> Document:
    # The indexes are partial: without `$type`, MongoDB does not see that they apply.
    return {"$in": list(conversation_ids), "$type": "number"}
