"""Messages and notes as they are: frozen values, without storage or transport."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from parley.common.events.messages import NoteSchema
from parley.common.events.schemas import (
    ConfirmationSchema,
    FileSchema,
    MessageSchema,
    MessageSource,
    MessageTranslation,
    OperatorRef,
    QuickReply,
    Role,
    ToolCallSchema,
)

MAX_QUICK_REPLIES = 10
MAX_LABEL_CHARACTERS = 40
"""Of a quick reply."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a conversation. `seq` counts from 1 in the conversation, without gaps."""

    id: int
    tenant_id: int
    site_id: int
    conversation_id: int
    session: str
    seq: int
    role: Role
    content: str
    created_at: datetime
    image_url: str | None = None
    file: FileSchema | None = None
    sender: OperatorRef | None = None
    message_id: str | None = None
    """The deduplication key: unique among the visitor's messages. Operators' and the AI's have a prefix."""
    reply_to: int | None = None
    """Of an AI reply: the seq of the message it answers; of a visitor's: of the message whose quick reply it is."""
    proactive: bool = False
    translation: MessageTranslation | None = None
    sources: tuple[MessageSource, ...] = ()
    """Of an AI reply: what it is based on."""
    confirmation: ConfirmationSchema | None = None
    """Of an AI reply: what the visitor is asked to agree to."""
    tool_calls: tuple[ToolCallSchema, ...] = ()
    """Of an AI reply: the tools that were called for it."""
    quick_replies: tuple[QuickReply, ...] = ()
    cited: tuple[str, ...] = ()
    """Of an AI reply: references of the passages that it is based on (`Passage.reference`)."""
    cap_reached: str | None = None
    """Of an AI reply by the built-in engine in place of the site's: the limit that was reached."""
    image_use: str | None = None
    """Of an AI reply to an image: whether the model has seen it, or why not."""

    def to_schema(self) -> MessageSchema:
        return MessageSchema(
            id=self.id,
            conversation_id=self.conversation_id,
            seq=self.seq,
            role=self.role,
            content=self.content,
            image_url=self.image_url,
            file=self.file,
            sender=self.sender,
            message_id=self.client_message_id,
            translation=self.translation,
            sources=self.sources,
            confirmation=self.confirmation,
            tool_calls=self.tool_calls,
            quick_replies=self.quick_replies,
            cap_reached=self.cap_reached,
            image_use=self.image_use,
            reply_to=self.reply_to,
            created_at=self.created_at,
        )

    @property
    def client_message_id(self) -> str | None:
        """The message id as the client sent it; None if it sent none."""
        if self.message_id is None or self.role in ("ai", "system"):
            return None
        return self.message_id.split(":", 2)[2] if self.role == "operator" else self.message_id

    @property
    def is_only_image(self) -> bool:
        return self.image_url is not None and not self.content.strip()

    def offers(self, text: str) -> bool:
        """Whether one of its quick replies sends this text."""
        translated = self.translation.quick_replies if self.translation else ()
        sent = _sent_texts(self.quick_replies)
        return text in sent or (text in translated and bool(sent))


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """A message that the conversation has not given a seq yet."""

    id: int
    role: Role
    content: str
    image_url: str | None = None
    sender: OperatorRef | None = None
    message_id: str | None = None
    file: FileSchema | None = None
    reply_to: int | None = None
    proactive: bool = False
    translation: MessageTranslation | None = None
    sources: tuple[MessageSource, ...] = ()
    confirmation: ConfirmationSchema | None = None
    tool_calls: tuple[ToolCallSchema, ...] = ()
    confirms: str | None = None
    """Of a visitor's message: the id of the call that it agrees to."""
    quick_replies: tuple[QuickReply, ...] = ()
    cited: tuple[str, ...] = ()
    cap_reached: str | None = None
    image_use: str | None = None

    def offers(self, text: str) -> bool:
        """Whether one of its quick replies sends this text."""
        return text in _sent_texts(self.quick_replies)


def _sent_texts(replies: Iterable[QuickReply]) -> Collection[str]:
    return {reply.value or reply.label for reply in replies if reply.url is None}


@dataclass(frozen=True, slots=True)
class Opening:
    """What the assistant wrote first, before there was a conversation."""

    text: str
    quick_replies: tuple[QuickReply, ...] = ()

    def to_draft(self, message_id: int) -> MessageDraft:
        return MessageDraft(message_id, "ai", self.text, proactive=True, quick_replies=self.quick_replies)


@dataclass(frozen=True, slots=True)
class Note:
    """A private note of an operator about a conversation. Never visible to the visitor."""

    id: int
    tenant_id: int
    site_id: int
    conversation_id: int
    content: str
    author: OperatorRef
    created_at: datetime
    mentions: tuple[int, ...] = ()
    """Ids of the operators whom the note calls; they may see the conversation."""

    def to_schema(self) -> NoteSchema:
        return NoteSchema(
            id=self.id,
            content=self.content,
            author=self.author,
            created_at=self.created_at,
            mentions=self.mentions,
        )
