"""The events that changes of conversations publish. Each carries the conversation as it is after the change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from parley.chat.actors import AI_ACTOR, SYSTEM_ACTOR, operator_actor, visitor_actor
from parley.chat.conversations.model import Conversation
from parley.chat.messages.model import Message, Note
from parley.chat.timeouts import VIEWING_LIFETIME_SECONDS
from parley.chat.visitors.model import DataSubject
from parley.common.events import Actor, Event, EventData, new_event
from parley.common.events.conversations import (
    ConversationAccepted,
    ConversationClosed,
    ConversationCreated,
    ConversationJoined,
    ConversationPending,
    ConversationRated,
    ConversationReleased,
    ConversationReopened,
    ConversationTransferred,
    ConversationUpdated,
    QueuePlaceChanged,
    VisitorBlocked,
    VisitorErased,
    VisitorUpdated,
)
from parley.common.events.messages import (
    ConversationViewers,
    MessageCreated,
    MessageRead,
    NoteCreated,
    Typing,
    ViewerState,
)
from parley.common.events.schemas import OperatorRef

UpdateReason = Literal["labels", "snoozed", "woken", "other"]


def created(conversation: Conversation, by: OperatorRef | None) -> Event:
    data = ConversationCreated(**_state(conversation, by))
    return _conversation_event(conversation, data, _operator_or_visitor(conversation, by))


def pending(conversation: Conversation, reason: str, by: OperatorRef | None = None) -> Event:
    data = ConversationPending(**_state(conversation, by), reason=reason)
    actor = _operator_or_visitor(conversation, by) if reason == "asked" else _operator_or_system(by)
    return _conversation_event(conversation, data, actor)


def accepted(conversation: Conversation, by: OperatorRef, waited_seconds: float | None) -> Event:
    data = ConversationAccepted(**_state(conversation, by), waited_seconds=waited_seconds)
    return _conversation_event(conversation, data, operator_actor(by))


def assigned(conversation: Conversation, reason: str, waited_seconds: float | None) -> Event:
    """`conversation.accepted`, which names no operator who did it: the assigned one did not."""
    data = ConversationAccepted(**_state(conversation, None), reason=reason, waited_seconds=waited_seconds)
    return _conversation_event(conversation, data, SYSTEM_ACTOR)


def queue_place_changed(conversation: Conversation, position: int, estimated_wait_seconds: int | None) -> Event:
    """Ephemeral. Has the time of its creation, not of the conversation's last change."""
    return new_event(
        QueuePlaceChanged(position=position, estimated_wait_seconds=estimated_wait_seconds),
        tenant_id=conversation.tenant_id,
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        session=conversation.visitor.session,
    )


def transferred(
    conversation: Conversation,
    by: OperatorRef,
    from_operator: OperatorRef | None,
    reason: Literal["undone"] | None = None,
) -> Event:
    data = ConversationTransferred(**_state(conversation, by), from_operator=from_operator, reason=reason)
    return _conversation_event(conversation, data, operator_actor(by))


def released(conversation: Conversation, reason: str, by: OperatorRef | None) -> Event:
    data = ConversationReleased(**_state(conversation, by), reason=reason)
    return _conversation_event(conversation, data, _operator_or_system(by))


def closed(conversation: Conversation, by: OperatorRef) -> Event:
    return _conversation_event(conversation, ConversationClosed(**_state(conversation, by)), operator_actor(by))


def closed_for_silence(conversation: Conversation) -> Event:
    data = ConversationClosed(**_state(conversation, None), reason="silence")
    return _conversation_event(conversation, data, SYSTEM_ACTOR)


def reopened(conversation: Conversation, by: OperatorRef, reason: Literal["undone"] | None = None) -> Event:
    data = ConversationReopened(**_state(conversation, by), reason=reason)
    return _conversation_event(conversation, data, operator_actor(by))


def closed_for_newer(conversation: Conversation) -> Event:
    return _conversation_event(conversation, ConversationClosed(**_state(conversation, None)), SYSTEM_ACTOR)


def joined(conversation: Conversation, from_session: str) -> Event:
    data = ConversationJoined(**_state(conversation, None), from_session_id=from_session)
    return _conversation_event(conversation, data, SYSTEM_ACTOR)


def closed_by_erasure(anonymized: Conversation, actor: Actor) -> Event:
    """The last event of an erased conversation: it carries nothing of the visitor's data."""
    return _conversation_event(anonymized, ConversationClosed(**_state(anonymized, None)), actor)


def updated(
    conversation: Conversation,
    by: OperatorRef | None = None,
    reason: UpdateReason = "other",
    history_action: str | None = None,
) -> Event:
    data = ConversationUpdated(**_state(conversation, by), reason=reason, history_action=history_action)
    return _conversation_event(conversation, data, _operator_or_system(by))


def rated(conversation: Conversation, score: int, comment: str | None) -> Event:
    data = ConversationRated(**_state(conversation, None), score=score, comment=comment)
    return _conversation_event(conversation, data, visitor_actor(conversation.visitor.name))


def message_created(conversation: Conversation, message: Message) -> Event:
    return _conversation_event(
        conversation,
        MessageCreated(**vars(message.to_schema()), conversation=conversation.to_schema()),
        _message_actor(conversation, message),
        _message_routing_tag(conversation, message),
    )


def message_read(conversation: Conversation, seq: int, by: OperatorRef | None) -> Event:
    reader = "operator" if by else "visitor"
    data = MessageRead(reader=reader, seq=seq, by=by, conversation=conversation.to_schema())
    return _conversation_event(conversation, data, _operator_or_visitor(conversation, by))


def note_created(conversation: Conversation, note: Note) -> Event:
    return _conversation_event(conversation, NoteCreated(note=note.to_schema()), operator_actor(note.author))


def typing(conversation: Conversation, actor: Actor) -> Event:
    """Ephemeral. Has the time of its creation, not of the conversation's last change."""
    return new_event(
        Typing(role="operator" if actor.kind == "operator" else "visitor", name=actor.name),
        tenant_id=conversation.tenant_id,
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        session=conversation.visitor.session,
        actor=actor,
    )


def viewers(conversation: Conversation, operator: OperatorRef, state: ViewerState) -> Event:
    """Ephemeral, like `typing`."""
    return new_event(
        ConversationViewers(operator=operator, state=state, expires_in=VIEWING_LIFETIME_SECONDS),
        tenant_id=conversation.tenant_id,
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        session=conversation.visitor.session,
        actor=operator_actor(operator),
    )


def visitor_updated(conversation: Conversation, by: OperatorRef | None) -> Event:
    data = VisitorUpdated(conversation=conversation.to_schema(), by=by)
    return _conversation_event(conversation, data, _operator_or_visitor(conversation, by))


def visitor_blocked(conversation: Conversation, by: OperatorRef) -> Event:
    data = VisitorBlocked(conversation=conversation.to_schema(), blocked=conversation.visitor.blocked, by=by)
    return _conversation_event(conversation, data, operator_actor(by))


def visitor_erased(subject: DataSubject, conversation_ids: Sequence[int], actor: Actor) -> Event:
    data = VisitorErased(session_id=subject.session, conversation_ids=tuple(conversation_ids))
    return new_event(data, tenant_id=subject.tenant_id, site_id=subject.site_id, session=subject.session, actor=actor)


def _conversation_event(
    conversation: Conversation, data: EventData, actor: Actor, routing_tag: str | None = None
) -> Event:
    return new_event(
        data,
        tenant_id=conversation.tenant_id,
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        session=conversation.visitor.session,
        actor=actor,
        at=conversation.updated_at,
        routing_tag=routing_tag,
    )


def _state(conversation: Conversation, by: OperatorRef | None) -> dict[str, Any]:
    return {
        "mode": conversation.mode,
        "operator": conversation.operator,
        "by": by,
        "conversation": conversation.to_schema(),
    }


def _operator_or_visitor(conversation: Conversation, by: OperatorRef | None) -> Actor:
    return operator_actor(by) if by is not None else visitor_actor(conversation.visitor.name)


def _operator_or_system(by: OperatorRef | None) -> Actor:
    return operator_actor(by) if by is not None else SYSTEM_ACTOR


def _message_actor(conversation: Conversation, message: Message) -> Actor:
    match message.role:
        case "ai":
            return AI_ACTOR
        case "visitor":
            return visitor_actor(conversation.visitor.name)
        case _:
            return operator_actor(message.sender) if message.sender else SYSTEM_ACTOR


def _message_routing_tag(conversation: Conversation, message: Message) -> str | None:
    """The queues that need the message; a queue gets no other messages, since each costs a write.

    `reports` for the first message of the AI and the first one of an operator, `translate` for a message that is to be
    translated.
    """
    first = {"ai": conversation.first_ai_message_at, "operator": conversation.first_operator_message_at}
    tags = ["reports"] if first.get(message.role) == message.created_at else []
    translated = message.translation is not None and message.translation.status == "done"
    if conversation.translation.enabled and not translated:
        tags.append("translate")
    return ".".join(tags) or None
