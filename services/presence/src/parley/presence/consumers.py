"""What presence hears and is asked: each event and each question leads to one call of the domain."""

from __future__ import annotations

from typing import Any

from parley.common.events import Event
from parley.common.events.conversations import VisitorErased
from parley.common.events.schemas import ConversationView, View
from parley.common.events.team import OperatorAccessChanged
from parley.common.messaging import AnswerQuestions, Consumer
from parley.presence.model import OpenConversation
from parley.presence.operators.service import Operators
from parley.presence.visitors.service import Visitors

_CONVERSATION_EVENTS = (
    "conversation.created",
    "conversation.pending",
    "conversation.accepted",
    "conversation.transferred",
    "conversation.released",
    "conversation.closed",
    "conversation.updated",
)


class _Conversation(View):
    """What presence reads of a conversation's event."""

    conversation: ConversationView


def conversations(visitors: Visitors) -> Consumer:
    """Keeps each visitor's open conversation beside them, and forgets who is to be forgotten: in that order."""

    async def changed(event: Event) -> None:
        row = _Conversation.model_validate(event.data).conversation
        await visitors.conversation_changed(
            OpenConversation(
                tenant_id=event.tenant_id,
                site_id=row.site_id,
                session=row.visitor.session_id,
                conversation_id=row.id,
                version=row.version,
                started=row.created_at,
                closed=row.mode == "closed",
            )
        )

    async def erased(event: Event) -> None:
        await visitors.erase(event.site_id, event.read(VisitorErased).session_id)

    return Consumer(
        "presence", "conversations", {**dict.fromkeys(_CONVERSATION_EVENTS, changed), "visitor.erased": erased}
    )


def access(operators: Operators) -> Consumer:
    """Takes operators offline where they may not chat any more."""

    async def changed(event: Event) -> None:
        data = event.read(OperatorAccessChanged)
        if data.session_id is None:
            await operators.access_changed(event.tenant_id, data.operator_id, data.version, suspended=data.suspended)

    return Consumer("presence", "access", {"operator.access_changed": changed})


def questions(operators: Operators, visitors: Visitors) -> AnswerQuestions:
    """Answers who is online, and what is kept of a visitor."""

    async def visitor_online(body: dict[str, Any]) -> dict[str, Any]:
        return {"online": await visitors.is_online(int(body["site_id"]), str(body["session"]))}

    async def operators_online(body: dict[str, Any]) -> dict[str, Any]:
        return {"operator_ids": await operators.online_on(int(body["site_id"]))}

    async def visitor_data(body: dict[str, Any]) -> dict[str, Any] | None:
        return await visitors.kept(int(body["site_id"]), str(body["session"]))

    return AnswerQuestions(
        "presence",
        {"visitor_online": visitor_online, "operators_online": operators_online, "visitor_data": visitor_data},
    )
