"""Personal data of visitors in mails that wait: export and erase it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parley.notify.mail.ports import MailDeliveryRepository


class MailPrivacyService:
    """Works also where mail is off, since it may have been on before."""

    def __init__(self, deliveries: MailDeliveryRepository) -> None:
        self._deliveries = deliveries

    async def export(self, conversation_ids: Sequence[int]) -> dict[str, Any] | None:
        """Return what is stored about a visitor's conversations; None if nothing is."""
        mails = await self._deliveries.find_stored(conversation_ids)
        return {"mails": mails} if mails else None

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        """Delete everything that is stored about a visitor's conversations."""
        await self._deliveries.delete_for_conversations(conversation_ids)
