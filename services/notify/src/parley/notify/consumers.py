"""What notify hears from a queue, and is asked: what it holds of a visitor, and that it is to be erased.

The log would tell of an erasure too, but only to who is there within its window: this has to be done in any case.
"""

from __future__ import annotations

from typing import Any

from parley.common.events import Event
from parley.common.events.conversations import VisitorErased
from parley.common.messaging import AnswerQuestions, Consumer
from parley.notify.push.delivery_service import DeliveryStore


def erasures(deliveries: DeliveryStore) -> Consumer:
    """Drops what waits to be pushed of an erased visitor's words."""

    async def erased(event: Event) -> None:
        await deliveries.erase(event.read(VisitorErased).conversation_ids)

    return Consumer("notify", "erasures", {"visitor.erased": erased})


def questions(deliveries: DeliveryStore) -> AnswerQuestions:
    """Answers what is kept of a visitor."""

    async def visitor_data(body: dict[str, Any]) -> dict[str, Any] | None:
        kept = await deliveries.kept([int(number) for number in body["conversation_ids"]])
        return {"pushes": kept} if kept else None

    return AnswerQuestions("notify", {"visitor_data": visitor_data})
