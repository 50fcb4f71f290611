"""What gaps have from visitors' chats, for export and erasure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parley.chat.knowledge_gaps.repository import MongoGapRepository
from parley.chat.privacy.model import DerivedText


@dataclass(frozen=True, slots=True)
class GapData:
    """Implements DerivedData. An entry that a person has made from a gap stays."""

    gaps: MongoGapRepository

    async def list_texts(self, conversation_ids: Sequence[int]) -> Sequence[DerivedText]:
        return [DerivedText("unanswered_question", text) for text in await self.gaps.list_texts(conversation_ids)]

    async def remove(self, conversation_ids: Sequence[int]) -> None:
        await self.gaps.remove_conversations(conversation_ids)
