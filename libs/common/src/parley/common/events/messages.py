"""Events about messages. `message.created` is the most frequent: without a routing tag, only the event log gets it."""

from __future__ import annotations

from typing import Literal

from parley.common.events.registry import Audience, EventData
from parley.common.events.schemas import (
    ConversationSchema,
    MessageSchema,
    MessageTranslation,
    OperatorRef,
    Schema,
    Timestamp,
)

# Named one by one, so that a new field of a message is not shown to visitors by itself.
_MESSAGE_FIELDS = (
    "id",
    "conversation_id",
    "seq",
    "role",
    "content",
    "image_url",
    "file",
    "sender",
    "message_id",
    "translation",
    "sources",
    "confirmation",
    "quick_replies",
    "reply_to",
    "created_at",
)


class MessageCreated(
    EventData,
    MessageSchema,
    type="message.created",
    audience=Audience.OPERATORS_AND_VISITOR,
    visitor_fields=_MESSAGE_FIELDS,
    stream_only=True,
):
    """A message was written; with the conversation after it."""

    conversation: ConversationSchema


class MessageTranslated(
    EventData,
    type="message.translated",
    audience=Audience.OPERATORS_AND_VISITOR,
    visitor_fields=("id", "seq", "role", "translation"),
):
    """A message was translated, or its translation failed."""

    id: int
    seq: int
    role: Literal["visitor", "ai", "operator", "system"]
    translation: MessageTranslation


class MessageRead(
    EventData,
    type="message.read",
    audience=Audience.OPERATORS_AND_VISITOR,
    visitor_fields=("reader", "seq", "by"),
    stream_only=True,
):
    """One side has read the messages up to `seq`."""

    reader: Literal["visitor", "operator"]
    seq: int
    by: OperatorRef | None = None
    conversation: ConversationSchema


class Typing(
    EventData, type="typing", audience=Audience.OPERATORS_AND_VISITOR, visitor_fields=("role", "name"), ephemeral=True
):
    """A visitor or an operator is typing. Shown to the other side, never stored."""

    role: Literal["visitor", "operator"]
    name: str | None = None


ViewerState = Literal["viewing", "writing", "left"]
"""What an operator does in a conversation that they have opened, or that they have left it."""


class ConversationViewers(EventData, type="conversation.viewers", audience=Audience.OPERATORS, ephemeral=True):
    """An operator looks at a conversation or writes in it, or has left it. Never stored, never shown to visitors."""

    operator: OperatorRef
    state: ViewerState
    expires_in: int
    """Seconds until the operator counts as gone, unless the event is repeated."""


class NoteSchema(Schema):
    """A note that operators write for each other."""

    id: int
    content: str
    author: OperatorRef
    created_at: Timestamp
    mentions: tuple[int, ...] = ()
    """Ids of the operators whom the note calls."""


class NoteCreated(EventData, type="note.created", audience=Audience.OPERATORS):
    """A note was added. Never visible to the visitor."""

    note: NoteSchema
