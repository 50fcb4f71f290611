"""Conversations as they are: frozen values that transitions map to a `Change`.

`generation` counts changes of who answers. An AI reply carries the generation it started under and is discarded
once that has changed: after an operator accepts, the AI writes nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from parley.chat.ai.usage import EngineUsage
from parley.chat.audit.model import AuditEntry
from parley.chat.knowledge_gaps.model import UnansweredQuestion
from parley.chat.messages.model import Message, Note
from parley.chat.tools.model import PendingCall
from parley.chat.visitors.model import Visitor
from parley.common.events import Event
from parley.common.events.schemas import ConversationSchema, LastMessage, Mode, OperatorRef, TeamRef

MAX_RECENT_IDS = 16
"""Message ids kept in the conversation itself; older ones are looked up among the messages."""
MAX_UNREAD = 999
"""Unread messages that a conversation lists, newest kept. Bounds the size of each write."""
MAX_HISTORY_ENTRIES = 200
"""The first entry of each action is kept, and the newest of all: reports count the first handoff."""
MAX_LABELS = 20
"""Labels that a conversation can have."""
MAX_READ_MARKS = 50
"""Operators whose read marks a conversation keeps, latest reader last."""


MAX_HISTORY_CANDIDATES = 10
"""Operators that an entry of the history names as considered for an assignment."""

CandidateStatus = Literal["available", "full", "away", "missed"]
"""Of an operator who was considered: with room; at their capacity; offline; has just let this conversation time out."""


@dataclass(frozen=True, slots=True)
class AssignmentCandidate:
    """An operator who was considered for a conversation."""

    operator: OperatorRef
    status: CandidateStatus


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Who did what to a conversation, and when."""

    at: datetime
    action: str
    by: OperatorRef | None = None
    to: OperatorRef | None = None
    reason: str | None = None
    """How an operator was chosen, or why the visitor was put into the queue. Entries of earlier versions lack it."""
    team: TeamRef | None = None
    """The team that the conversation was transferred to, with its name of then."""
    candidates: tuple[AssignmentCandidate, ...] = ()

    @property
    def assigned_operator(self) -> OperatorRef | None:
        """The operator who has the conversation after this; None if it was not assigned by it."""
        match self.action:
            case "accepted" | "reopened":
                return self.to or self.by
            case "transferred" | "assigned" | "restored":
                return self.to
            case _:
                return None


@dataclass(frozen=True, slots=True)
class TranslationState:
    """How a conversation is translated, as the translate service last published it."""

    enabled: bool = False
    lang: str | None = None
    operator_lang: str | None = None
    supported: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True)
class ReplyLease:
    """A reply of the AI to message `seq` is due from one replica. After `until` another one may take it over."""

    seq: int
    until: datetime


@dataclass(frozen=True, slots=True)
class VisitorSilence:
    """The visitor has not written since the operator's last message: the conversation may be closed for it."""

    since: datetime
    """When the operator wrote last."""
    check_at: datetime
    """When the next step is due: the notice to the visitor, or the end."""
    announced: bool = False
    """Whether the visitor got the notice that the conversation will be closed."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who answers in a conversation, and since when the visitor waits: what an undone change restores."""

    mode: Mode
    operator: OperatorRef | None
    waiting_since: datetime | None
    snoozed_until: datetime | None
    team_id: int | None = None


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
    operator: OperatorRef | None = None
    team_id: int | None = None
    """The team it was transferred to; None for that of the site's routing."""
    last_seq: int = 0
    last_message: LastMessage | None = None
    last_visitor_message: LastMessage | None = None
    """The newest message of the visitor: what a row of the queue shows."""
    unread_seqs: tuple[int, ...] = ()
    """Visitor messages that no operator has read, at most MAX_UNREAD."""
    operator_read_seq: int = 0
    """The highest seq that any operator has read."""
    reads: tuple[tuple[OperatorRef, int], ...] = ()
    """The highest seq that each operator has read."""
    visitor_read_seq: int = 0
    waiting_since: datetime | None = None
    """Since when the visitor waits for a person."""
    due_at: datetime | None = None
    """When the assigned operator has to have replied; after it the conversation is released."""
    reply_lease: ReplyLease | None = None
    consecutive_misses: int = 0
    """How many times in a row the AI had no answer."""
    first_ai_message_at: datetime | None = None
    first_operator_message_at: datetime | None = None
    tokens: int = 0
    """Tokens that the AI's replies have cost."""
    usage: tuple[EngineUsage, ...] | None = ()
    """The same by engine; None for a conversation that began before that was stored."""
    previous_id: int | None = None
    """The visitor's conversation before this one."""
    translation: TranslationState = TranslationState()
    rating: int | None = None
    rating_comment: str | None = None
    rated_at: datetime | None = None
    label_ids: tuple[int, ...] = ()
    """In the order in which they were given."""
    snoozed_until: datetime | None = None
    """Until then, or until the visitor writes, the open lists do not show the conversation."""
    silence: VisitorSilence | None = None
    """Set while an operator waits for the visitor, on a site that closes such conversations."""
    pending_call: PendingCall | None = None
    """What the AI has asked the visitor about last, until they have answered."""
    recent_ids: tuple[tuple[str, int], ...] = ()
    """The latest message ids with their seqs, for deduplication."""
    history: tuple[HistoryEntry, ...] = ()
    version: int = 0
    """Incremented by every change; a write succeeds only on the version it was computed from."""

    @property
    def open(self) -> bool:
        return self.mode != "closed"

    @property
    def known_usage(self) -> tuple[EngineUsage, ...] | None:
        """What each engine was used for; None if the version before has written replies, which stores only a sum."""
        if self.usage is None or sum(one.tokens.total for one in self.usage) != self.tokens:
            return None
        return self.usage

    def to_schema(self) -> ConversationSchema:
        return ConversationSchema(
            id=self.id,
            site_id=self.site_id,
            mode=self.mode,
            visitor=self.visitor.to_schema(),
            operator=self.operator,
            last_message=self.last_message,
            last_visitor_message=self.last_visitor_message,
            last_seq=self.last_seq,
            unread=len(self.unread_seqs),
            operator_read_seq=self.operator_read_seq,
            visitor_read_seq=self.visitor_read_seq,
            waiting_since=self.waiting_since,
            reply_due_at=self.due_at,
            team_id=self.team_id,
            previous_id=self.previous_id,
            rating=self.rating,
            labels=self.label_ids,
            snoozed_until=self.snoozed_until,
            created_at=self.created_at,
            updated_at=self.updated_at,
            version=self.version,
        )

    @property
    def assignment(self) -> Assignment:
        return Assignment(self.mode, self.operator, self.waiting_since, self.snoozed_until, self.team_id)

    def find_recent_seq(self, message_id: str | None) -> int | None:
        """The seq of a message id, if it is among the recent ones."""
        return next((seq for recent_id, seq in self.recent_ids if recent_id == message_id), None)

    def is_assigned_to(self, operator_id: int) -> bool:
        return self.operator is not None and self.operator.id == operator_id

    def last_assigned_operator(self) -> OperatorRef | None:
        """The operator who has the conversation, or else the one who had it last."""
        if self.operator is not None:
            return self.operator
        assigned = (entry.assigned_operator for entry in reversed(self.history))
        return next((operator for operator in assigned if operator is not None), None)

    def missed_by(self) -> Mapping[int, datetime]:
        """When operators last let the conversation time out, by their ids."""
        missed: dict[int, datetime] = {}
        assigned: OperatorRef | None = None
        for entry in self.history:
            if entry.action == "timed_out" and assigned is not None:
                missed[assigned.id] = entry.at
            elif entry.assigned_operator is not None:
                assigned = entry.assigned_operator
        return missed

    def with_history(
        self, at: datetime, action: str, by: OperatorRef | None, to: OperatorRef | None = None, **also: Any
    ) -> Conversation:
        """The conversation with one entry more; `also` are further fields of it."""
        entries = [*self.history, HistoryEntry(at, action, by, to, **also)]
        while len(entries) > MAX_HISTORY_ENTRIES:
            del entries[_oldest_repetition(entries)]
        return replace(self, history=tuple(entries))


def _oldest_repetition(entries: Sequence[HistoryEntry]) -> int:
    """The index of the first entry whose action has occurred before; 0 if none has."""
    actions: set[str] = set()
    for index, entry in enumerate(entries):
        if entry.action in actions:
            return index
        actions.add(entry.action)
    return 0


@dataclass(frozen=True, slots=True)
class Change:
    """The result of a transition: written as a whole, or not at all."""

    conversation: Conversation
    events: tuple[Event, ...] = ()
    messages: tuple[Message, ...] = ()
    notes: tuple[Note, ...] = ()
    audit: AuditEntry | None = None
    unanswered: UnansweredQuestion | None = None
    """The visitor's question to which the change adds the AI's reply that it has no answer."""

    def with_audit_entry(self, entry: AuditEntry | None) -> Change:
        """The change with its audit entry; without one if it changes nothing."""
        return replace(self, audit=entry) if self.events else self
