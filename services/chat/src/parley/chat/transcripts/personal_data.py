"""The addresses to which a visitor's conversations were sent, for export and erasure."""

from __future__ import annotations

from collections.abc import Sequence

from parley.chat.privacy.model import DerivedText
from parley.chat.transcripts.repository import COLLECTION
from parley.common.mongodb import Mongo


class TranscriptRequestData:
    """Implements DerivedData."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_texts(self, conversation_ids: Sequence[int]) -> Sequence[DerivedText]:
        rows = self._mongo[COLLECTION].find({"conversation_id": {"$in": list(conversation_ids)}}, {"email": 1})
        return [DerivedText("transcript_email", row["email"]) async for row in rows]

    async def remove(self, conversation_ids: Sequence[int]) -> None:
        await self._mongo[COLLECTION].delete_many({"conversation_id": {"$in": list(conversation_ids)}})
