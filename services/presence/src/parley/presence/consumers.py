"""Event consumers and RPC methods of presence. Each calls one method of a service."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from parley.common.events import Event
from parley.common.events.conversations import VisitorErased
from parley.common.events.schemas import ConversationSchema, Schema
from parley.common.events.team import OperatorAccessChanged
from parley.common.messaging import Consumer, RpcServer
from parley.presence.operators.service import OperatorService
from parley.presence.visitors.model import ConversationSnapshot
from parley.presence.visitors.service import VisitorService

_CONVERSATION_EVENTS = (
    "conversation.created",
    "conversation.pending",
    "conversation.accepted",
    "conversation.transferred",
    "conversation.released",
    "conversation.closed",
    "conversation.reopened",
    "conversation.joined",
    "conversation.updated",
)


class _ConversationEvent(Schema):
    """The part of a conversation event that presence reads."""

    conversation: ConversationSchema
    from_session_id: str | None = None
    """Of `conversation.joined`: the session whose conversation it was."""


def conversation_consumer(visitors: VisitorService) -> Consumer:
    """Updates visitors' open conversations and erases visitors, in the order of the events."""

    async def on_conversation_changed(event: Event) -> None:
        data = _ConversationEvent.model_validate(event.data)
        conversation = data.conversation
        snapshot = ConversationSnapshot(
            tenant_id=event.tenant_id,
            site_id=conversation.site_id,
            session=conversation.visitor.session_id,
            conversation_id=conversation.id,
            version=conversation.version,
            started_at=conversation.created_at,
            closed=conversation.mode == "closed",
        )
        await visitors.update_conversation(snapshot)
        if data.from_session_id is not None:
            # The session that it came from has no conversation any more.
            await visitors.update_conversation(replace(snapshot, session=data.from_session_id, closed=True))

    async def on_visitor_erased(event: Event) -> None:
        await visitors.erase(event.site_id, event.parse_data(VisitorErased).session_id)

    return Consumer(
        "presence",
        "conversations",
        {**dict.fromkeys(_CONVERSATION_EVENTS, on_conversation_changed), "visitor.erased": on_visitor_erased},
    )


def access_consumer(operators: OperatorService) -> Consumer:
    """Takes operators offline where they may no longer chat."""

    async def on_access_changed(event: Event) -> None:
        data = event.parse_data(OperatorAccessChanged)
        # An event with a session id says that one session ended: the operator's access is the same.
        if data.session_id is None:
            await operators.apply_access_change(
                event.tenant_id, data.operator_id, data.version, suspended=data.suspended
            )

    return Consumer("presence", "access", {"operator.access_changed": on_access_changed})


def rpc_methods(operators: OperatorService, visitors: VisitorService) -> RpcServer:
    """RPC methods: who is online, and the personal data of a visitor."""

    async def visitor_online(body: dict[str, Any]) -> dict[str, Any]:
        return {"online": await visitors.is_online(int(body["site_id"]), str(body["session"]))}

    async def operators_online(body: dict[str, Any]) -> dict[str, Any]:
        return {"operator_ids": await operators.list_online(int(body["site_id"]))}

    async def visitor_data(body: dict[str, Any]) -> dict[str, Any] | None:
        return await visitors.get_personal_data(int(body["site_id"]), str(body["session"]))

    return RpcServer(
        "presence",
        {"visitor_online": visitor_online, "operators_online": operators_online, "visitor_data": visitor_data},
    )
