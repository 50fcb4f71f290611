"""What is indexed, what is asked for, and what is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from parley.chat.paging.model import Position
from parley.chat.search.snippets import Snippet
from parley.common.events.schemas import Mode, OperatorRef, Role

Kind = Literal["message", "note", "visitor"]
KINDS: tuple[Kind, ...] = ("message", "note", "visitor")


@dataclass(frozen=True, slots=True)
class SearchDocument:
    """A message, a note, or the visitor of a conversation, as the index knows it."""

    kind: Kind
    source_id: int
    """The id of the message or note; of a visitor, that of the conversation."""
    tenant_id: int
    site_id: int
    conversation_id: int
    at: datetime
    terms: Sequence[str] = ()
    version: int = 0
    """A document replaces one of a lower version: a visitor changes, a message gets a translation."""

    @property
    def id(self) -> str:
        return f"{self.kind[0]}:{self.source_id}"


@dataclass(frozen=True, slots=True)
class SearchScope:
    """Where to search."""

    tenant_id: int
    site_ids: Sequence[int]
    kinds: Sequence[Kind] = KINDS


@dataclass(frozen=True, slots=True)
class Source:
    """What a document stands for, read from where it is stored."""

    text: str
    translation: str | None = None
    seq: int | None = None
    role: Role | None = None
    author: OperatorRef | None = None


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document with all terms of a query."""

    id: str
    kind: Kind
    source_id: int
    at: datetime
    conversation_id: int
    site_id: int

    @property
    def position(self) -> Position:
        return [round(self.at.timestamp() * 1000), self.id]

    @property
    def sort_key(self) -> tuple[datetime, str]:
        return self.at, self.id


@dataclass(frozen=True, slots=True)
class FoundConversation:
    """What a hit shows of its conversation."""

    mode: Mode
    visitor_name: str | None
    visitor_text: str


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A document that matches, with the conversation that it is part of."""

    kind: Kind
    source_id: int
    at: datetime
    conversation_id: int
    site_id: int
    mode: Mode
    visitor_name: str | None
    snippet: Snippet
    seq: int | None = None
    role: Role | None = None
    author: OperatorRef | None = None
