"""Personal data of visitors in pending pushes: export and erase it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parley.notify.push.ports import DeliveryRepository


class PushPrivacyService:
    """Works also where push is off, since push may have been on before."""

    def __init__(self, deliveries: DeliveryRepository) -> None:
        self._deliveries = deliveries

    async def export(self, conversation_ids: Sequence[int]) -> dict[str, Any] | None:
        """Return what is stored about a visitor's conversations; None if nothing is."""
        pushes = await self._deliveries.find_stored(conversation_ids)
        return {"pushes": pushes} if pushes else None

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        """Delete everything that is stored about a visitor's conversations."""
        await self._deliveries.delete_for_conversations(conversation_ids)
