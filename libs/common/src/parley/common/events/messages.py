"""Facts about messages. `message.created` is the hot one: it goes to the log alone unless it has a hint."""

from __future__ import annotations

from typing import Literal

from parley.common.events.registry import Audience, EventData
from parley.common.events.schemas import (
    ConversationView,
    MessageTranslation,
    MessageView,
    Person,
    Timestamp,
    View,
)

_MESSAGE_FIELDS = frozenset(MessageView.model_fields)


class MessageCreated(
    EventData,
    MessageView,
    type="message.created",
    audience=Audience.EVERYONE,
    visitor_fields=_MESSAGE_FIELDS,
    log_alone=True,
):
    """The message itself, and the conversation's row after it."""

    conversation: ConversationView


class MessageTranslated(
    EventData,
    type="message.translated",
    audience=Audience.EVERYONE,
    visitor_fields=("id", "seq", "role", "translation"),
):
    """A message's translation came, or will not come."""

    id: int
    seq: int
    role: Literal["visitor", "ai", "operator", "system"]
    translation: MessageTranslation


class MessageRead(
    EventData,
    type="message.read",
    audience=Audience.EVERYONE,
    visitor_fields=("reader", "seq", "by"),
    log_alone=True,
):
    """One side has read up to `seq`."""

    reader: Literal["visitor", "operator"]
    seq: int
    by: Person | None = None
    conversation: ConversationView


class Typing(EventData, type="typing", audience=Audience.EVERYONE, visitor_fields=("role", "name"), ephemeral=True):
    """Somebody is writing. Shown to the other side, never kept."""

    role: Literal["visitor", "operator"]
    name: str | None = None


class NoteView(View):
    """A private note between operators."""

    id: int
    content: str
    author: Person
    created_at: Timestamp


class NoteCreated(EventData, type="note.created", audience=Audience.OPERATORS):
    """A note was added. It never reaches a visitor."""

    note: NoteView
