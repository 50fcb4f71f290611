"""Conversations, messages and visitors as they are: frozen, with transitions that are pure functions of them.

A transition takes a conversation and gives a `Change`: the conversation after it, the messages and notes that came
with it, and the facts to tell. The store writes all of that in one write, or nothing of it when somebody else was
faster; then the transition is asked again with what is true now.

`generation` counts changes of who answers. Whatever the AI says carries the generation it began under, and is dropped
when that has passed: after an accept it says nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from parley.chat.audit.service import Entry
from parley.common.events import Event
from parley.common.events.schemas import (
    BlockType,
    ConversationView,
    LastMessage,
    MessageTranslation,
    MessageView,
    Mode,
    Person,
    Role,
    VisitorView,
)

PREVIEW_LENGTH = 140
RECENT_IDS = 16
"""Senders' message ids kept in the conversation itself; older ones are found among the messages."""
MOST_UNREAD = 999
"""Unread messages that a conversation counts; of more, the newest. Each write carries as many at most."""
HISTORY_LENGTH = 200
READERS = 50
"""Operators whose read marks a conversation keeps, the latest to read."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a request for export or erasure is about, whether or not chat knows them."""

    tenant_id: int
    site_id: int
    session: str

    @property
    def key(self) -> str:
        """As `Visitor.key`."""
        return f"{self.site_id}:{self.session}"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody on a site, known by the handle of their session."""

    tenant_id: int
    site_id: int
    session: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    info: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None
    blocked: BlockType | None = None
    blocked_at: datetime | None = None
    lead_at: datetime | None = None
    """When they first left an e-mail address or a telephone number."""
    version: int = 0

    @property
    def key(self) -> str:
        """One text for the visitor: unique over all sites."""
        return f"{self.site_id}:{self.session}"

    def view(self) -> VisitorView:
        return VisitorView(
            session_id=self.session,
            name=self.name,
            email=self.email,
            phone=self.phone,
            info=dict(self.info),
            language=self.language,
            blocked=self.blocked,
        )


@dataclass(frozen=True, slots=True)
class Message:
    """Something said. `seq` counts from 1 in the conversation, without gaps."""

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
    sender: Person | None = None
    message_id: str | None = None
    """The sender's own id of it; said twice, it is one message."""
    reply_to: int | None = None
    """For an AI's answer: the seq it answers."""
    proactive: bool = False
    translation: MessageTranslation | None = None

    def view(self) -> MessageView:
        return MessageView(
            id=self.id,
            conversation_id=self.conversation_id,
            seq=self.seq,
            role=self.role,
            content=self.content,
            image_url=self.image_url,
            sender=self.sender,
            message_id=self.senders_id,
            translation=self.translation,
            created_at=self.created_at,
        )

    @property
    def senders_id(self) -> str | None:
        """The id as its sender gave it; None where nobody gave one."""
        if self.message_id is None or self.role in ("ai", "system"):
            return None
        return self.message_id.split(":", 2)[2] if self.role == "operator" else self.message_id


@dataclass(frozen=True, slots=True)
class Note:
    """Something operators tell each other about a conversation. No visitor ever sees it."""

    id: int
    tenant_id: int
    site_id: int
    conversation_id: int
    content: str
    author: Person
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Who did what to a conversation, and when."""

    at: datetime
    action: str
    by: Person | None = None
    to: Person | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """What the translate service has told of a conversation."""

    enabled: bool = False
    lang: str | None = None
    operator_lang: str | None = None
    supported: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True)
class AnswerDue:
    """The AI owes an answer to message `seq`. Past `until` whoever owes it has died, and another may take it over."""

    seq: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation with one visitor, and who answers in it."""

    id: int
    tenant_id: int
    site_id: int
    visitor: Visitor
    mode: Mode
    created_at: datetime
    updated_at: datetime
    generation: int = 0
    operator: Person | None = None
    last_seq: int = 0
    last_message: LastMessage | None = None
    unread_seqs: tuple[int, ...] = ()
    """The visitor's messages that no operator has read, the newest of them; `unread` is how many."""
    operator_read_seq: int = 0
    """Up to where any operator has read; what is behind it is unread to the team."""
    reads: tuple[tuple[Person, int], ...] = ()
    """Up to where each operator who opened it has read."""
    visitor_read_seq: int = 0
    waiting_since: datetime | None = None
    due_at: datetime | None = None
    """When the holder's silence has lasted too long."""
    answer_due: AnswerDue | None = None
    misses: int = 0
    """How often in a row the AI did not know."""
    tokens: int = 0
    """What the AI's answers in it have cost."""
    previous_id: int | None = None
    translation: Translation = Translation()
    rating: int | None = None
    rating_comment: str | None = None
    rated_at: datetime | None = None
    recent_ids: tuple[tuple[str, int], ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    version: int = 0

    @property
    def open(self) -> bool:
        return self.mode != "closed"

    def view(self) -> ConversationView:
        return ConversationView(
            id=self.id,
            site_id=self.site_id,
            mode=self.mode,
            visitor=self.visitor.view(),
            operator=self.operator,
            last_message=self.last_message,
            last_seq=self.last_seq,
            unread=len(self.unread_seqs),
            operator_read_seq=self.operator_read_seq,
            visitor_read_seq=self.visitor_read_seq,
            waiting_since=self.waiting_since,
            previous_id=self.previous_id,
            rating=self.rating,
            created_at=self.created_at,
            updated_at=self.updated_at,
            version=self.version,
        )

    def seq_of(self, message_id: str | None) -> int | None:
        """The seq of a message by its sender's id, if it is among the recent ones."""
        return next((seq for known, seq in self.recent_ids if known == message_id), None)

    def held_by(self, operator_id: int) -> bool:
        return self.operator is not None and self.operator.id == operator_id

    def remembering(self, at: datetime, action: str, by: Person | None, to: Person | None = None) -> Conversation:
        entries = (*self.history, HistoryEntry(at, action, by, to))[-HISTORY_LENGTH:]
        return replace(self, history=entries)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before the conversation has given it its seq."""

    id: int
    role: Role
    content: str
    image_url: str | None = None
    sender: Person | None = None
    message_id: str | None = None
    reply_to: int | None = None
    proactive: bool = False
    translation: MessageTranslation | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a transition makes: written together, or not at all."""

    conversation: Conversation
    events: tuple[Event, ...] = ()
    messages: tuple[Message, ...] = ()
    notes: tuple[Note, ...] = ()
    audit: Entry | None = None

    def audited(self, entry: Entry | None) -> Change:
        """The same change with its line in the audit log, where it changes anything."""
        return replace(self, audit=entry) if self.events else self


def add_message(conversation: Conversation, draft: Draft, at: datetime) -> tuple[Conversation, Message]:
    """The next message of a conversation."""
    seq = conversation.last_seq + 1
    message = Message(
        id=draft.id,
        tenant_id=conversation.tenant_id,
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        session=conversation.visitor.session,
        seq=seq,
        role=draft.role,
        content=draft.content,
        created_at=at,
        image_url=draft.image_url,
        sender=draft.sender,
        message_id=draft.message_id,
        reply_to=draft.reply_to,
        proactive=draft.proactive,
        translation=draft.translation,
    )
    preview = draft.content[:PREVIEW_LENGTH] or "🖼"
    recent = conversation.recent_ids
    if draft.message_id is not None:
        recent = (*recent, (draft.message_id, seq))[-RECENT_IDS:]
    unread = conversation.unread_seqs
    if draft.role == "visitor":
        unread = (*unread, seq)[-MOST_UNREAD:]
    after = replace(
        conversation,
        last_seq=seq,
        last_message=LastMessage(seq=seq, role=draft.role, preview=preview, created_at=at),
        unread_seqs=unread,
        recent_ids=recent,
        updated_at=at,
    )
    return after, message
