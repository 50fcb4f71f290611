"""From a change to the events that tell of it: every event carries the conversation's row as it is afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parley.chat.conversations.model import Conversation, Message, Note, Subject
from parley.common.events import Actor, Event, EventData, new_event
from parley.common.events.conversations import (
    ConversationAccepted,
    ConversationClosed,
    ConversationCreated,
    ConversationPending,
    ConversationRated,
    ConversationReleased,
    ConversationTransferred,
    ConversationUpdated,
    VisitorBlocked,
    VisitorErased,
    VisitorUpdated,
)
from parley.common.events.messages import MessageCreated, MessageRead, NoteCreated, NoteView
from parley.common.events.schemas import Person

AI = Actor(kind="ai")
SYSTEM = Actor(kind="system")


def operator_actor(person: Person) -> Actor:
    return Actor(kind="operator", id=person.id, name=person.name)


def _tell(conversation: Conversation, data: EventData, actor: Actor, hint: str | None = None) -> Event:
    return new_event(
        data,
        tenant_id=conversation.tenant_id,
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        session=conversation.visitor.session,
        actor=actor,
        at=conversation.updated_at,
        hint=hint,
    )


def _changed(conversation: Conversation, by: Person | None) -> dict[str, Any]:
    return {
        "mode": conversation.mode,
        "operator": conversation.operator,
        "by": by,
        "conversation": conversation.view(),
    }


def _actor(conversation: Conversation, by: Person | None, otherwise: str = "visitor") -> Actor:
    if by is not None:
        return operator_actor(by)
    return Actor(kind="visitor", name=conversation.visitor.name) if otherwise == "visitor" else SYSTEM


def created(conversation: Conversation, by: Person | None) -> Event:
    return _tell(conversation, ConversationCreated(**_changed(conversation, by)), _actor(conversation, by))


def pending(conversation: Conversation, reason: str, by: Person | None = None) -> Event:
    actor = _actor(conversation, by, "visitor" if reason == "asked" else "system")
    return _tell(conversation, ConversationPending(**_changed(conversation, by), reason=reason), actor)


def accepted(conversation: Conversation, by: Person) -> Event:
    return _tell(conversation, ConversationAccepted(**_changed(conversation, by)), operator_actor(by))


def transferred(conversation: Conversation, by: Person, from_operator: Person | None) -> Event:
    data = ConversationTransferred(**_changed(conversation, by), from_operator=from_operator)
    return _tell(conversation, data, operator_actor(by))


def released(conversation: Conversation, reason: str, by: Person | None) -> Event:
    data = ConversationReleased(**_changed(conversation, by), reason=reason)
    return _tell(conversation, data, _actor(conversation, by, "system"))


def closed(conversation: Conversation, by: Person) -> Event:
    return _tell(conversation, ConversationClosed(**_changed(conversation, by)), operator_actor(by))


def closed_by_erasure(conversation: Conversation, actor: Actor) -> Event:
    """The last that is told of an erased conversation: its row, with nothing of the visitor left in it."""
    return _tell(conversation, ConversationClosed(**_changed(conversation, None)), actor)


def updated(conversation: Conversation, by: Person | None = None) -> Event:
    return _tell(conversation, ConversationUpdated(**_changed(conversation, by)), _actor(conversation, by, "system"))


def rated(conversation: Conversation, score: int, comment: str | None) -> Event:
    data = ConversationRated(**_changed(conversation, None), score=score, comment=comment)
    return _tell(conversation, data, _actor(conversation, None))


def said(conversation: Conversation, message: Message) -> Event:
    actors = {
        "ai": AI,
        "system": SYSTEM,
        "visitor": Actor(kind="visitor", name=conversation.visitor.name),
        "operator": operator_actor(message.sender) if message.sender else SYSTEM,
    }
    view = message.view()
    fields = {name: getattr(view, name) for name in type(view).model_fields}
    return _tell(
        conversation,
        MessageCreated(**fields, conversation=conversation.view()),
        actors[message.role],
        _hint(conversation, message),
    )


def _hint(conversation: Conversation, message: Message) -> str | None:
    """Which queue wants this message beside the log: it is the hot event, and each queue costs a write of its own."""
    translated = message.translation is not None and message.translation.status == "done"
    return "translate" if conversation.translation.enabled and not translated else None


def read(conversation: Conversation, seq: int, by: Person | None) -> Event:
    data = MessageRead(reader="operator" if by else "visitor", seq=seq, by=by, conversation=conversation.view())
    return _tell(conversation, data, _actor(conversation, by))


def noted(conversation: Conversation, note: Note) -> Event:
    view = NoteView(id=note.id, content=note.content, author=note.author, created_at=note.created_at)
    return _tell(conversation, NoteCreated(note=view), operator_actor(note.author))


def visitor_updated(conversation: Conversation, by: Person | None) -> Event:
    return _tell(conversation, VisitorUpdated(conversation=conversation.view(), by=by), _actor(conversation, by))


def visitor_blocked(conversation: Conversation, by: Person) -> Event:
    data = VisitorBlocked(conversation=conversation.view(), blocked=conversation.visitor.blocked, by=by)
    return _tell(conversation, data, operator_actor(by))


def visitor_erased(subject: Subject, conversation_ids: Sequence[int], actor: Actor) -> Event:
    data = VisitorErased(session_id=subject.session, conversation_ids=tuple(conversation_ids))
    return new_event(data, tenant_id=subject.tenant_id, site_id=subject.site_id, session=subject.session, actor=actor)
