"""What corrections have from visitors' chats, for export and erasure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parley.chat.corrections.repository import MongoCorrectionRepository
from parley.chat.privacy.model import DerivedText


@dataclass(frozen=True, slots=True)
class CorrectionData:
    """Implements DerivedData. The right answer stays: it is an operator's."""

    corrections: MongoCorrectionRepository

    async def list_texts(self, conversation_ids: Sequence[int]) -> Sequence[DerivedText]:
        return [DerivedText("correction", text) for text in await self.corrections.list_texts(conversation_ids)]

    async def remove(self, conversation_ids: Sequence[int]) -> None:
        await self.corrections.remove_conversations(conversation_ids)
