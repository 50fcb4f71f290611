"""A visitor's personal data as it is stored, exported and erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from parley.chat.conversations.model import Conversation
from parley.chat.files.model import StoredFile
from parley.chat.messages.model import Message, Note
from parley.chat.triggers.model import ShownTrigger
from parley.chat.visitors.model import DataSubject, Visitor
from parley.common.events import Actor

DerivedKind = Literal["answer_test", "test_answer", "unanswered_question", "transcript_email", "correction"]
"""A question of an answer test, what a test run would have answered, a question that the AI did not know, an address
to which a transcript was sent, a wrong answer with its question."""


@dataclass(frozen=True, slots=True)
class DataCounts:
    """Numbers of documents, stored or erased."""

    visitors: int = 0
    conversations: int = 0
    messages: int = 0
    notes: int = 0
    images: int = 0
    files: int = 0
    triggers: int = 0
    """That the visitor was shown."""

    @property
    def is_empty(self) -> bool:
        return not any(getattr(self, name) for name in DataCounts.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation with all its messages and notes."""

    conversation: Conversation
    messages: Sequence[Message]
    notes: Sequence[Note]


@dataclass(frozen=True, slots=True)
class DerivedText:
    """What was made from a conversation and is stored elsewhere; `kind` is part of the API."""

    kind: DerivedKind
    text: str


@dataclass(frozen=True, slots=True)
class StoredPersonalData:
    """What chat stores about a visitor. `images` are names: images in their conversations or uploaded by them."""

    visitor: Visitor | None
    conversations: Sequence[StoredConversation]
    images: Sequence[str]
    files: Sequence[StoredFile] = ()
    """Files in their conversations or uploaded by them; without those that have expired."""
    derived: Sequence[DerivedText] = ()
    triggers: Sequence[ShownTrigger] = ()
    """That they were shown."""

    @property
    def is_empty(self) -> bool:
        return self.visitor is None and not (self.conversations or self.images or self.files or self.triggers)


@dataclass(frozen=True, slots=True)
class PersonalDataExport:
    """What all services store. `remote` holds the result of each other service by name, None if it stores nothing."""

    subject: DataSubject
    at: datetime
    stored: StoredPersonalData
    remote: Mapping[str, Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure in progress. With `releasing`, all data is erased and only the placeholder remains."""

    id: int
    subject: DataSubject
    actor: Actor
    conversation_ids: tuple[int, ...] = ()
    releasing: bool = False


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """What one pass deleted, and the ids of conversations and files and names of images of all passes so far."""

    counts: DataCounts
    closed_conversations: Sequence[Conversation]
    """Conversations that were open when they were deleted."""
    conversation_ids: Sequence[int]
    images: Sequence[str]
    files: Sequence[str] = ()
    """Their ids."""
