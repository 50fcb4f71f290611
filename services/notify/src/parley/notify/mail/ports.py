"""What mail needs from the database, the mail server and chat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from parley.notify.mail.model import MailContent, MailDelivery, MailReceipt


class MailDeliveryRepository(Protocol):
    """Deliveries in the database. Every method is atomic; those after a claim have an effect only while it holds."""

    async def add(self, delivery: MailDelivery) -> None:
        """Store a delivery that is due now. Idempotent by its id, also after it was completed."""

    async def claim_due(self, now: datetime) -> MailDelivery | None:
        """Claim a delivery that is due. Other replicas see it again when the lease ends."""

    async def complete(self, delivery: MailDelivery, outcome: str) -> None:
        """Record what became of it: it is not due any more."""

    async def reschedule(self, delivery: MailDelivery, due: datetime) -> None:
        """End the claim and try again at `due`."""

    async def find_oldest(self) -> datetime | None:
        """When the oldest one that is not completed was requested; None if there is none."""

    async def find_stored(self, conversation_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Return what is stored about conversations, in a form that the visitor may read."""

    async def delete_for_conversations(self, conversation_ids: Sequence[int]) -> None:
        """Delete all deliveries of conversations."""


class MailServer(Protocol):
    """The installation's mail server."""

    async def send(self, delivery: MailDelivery, content: MailContent) -> MailReceipt:
        """Send one mail. Does not raise: failures are in the receipt."""


class MailContentReader(Protocol):
    """What is to be sent, as chat knows it."""

    async def find(self, request_id: str) -> MailContent | None:
        """Return what a request asks for; None if there is nothing to send any more. Raises Unavailable."""
