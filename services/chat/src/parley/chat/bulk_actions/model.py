"""Bulk actions as they are: frozen values, without storage or transport."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from parley.chat.conversations.model import Assignment, Conversation
from parley.common.errors import ParleyError

MAX_CONVERSATIONS = 200

Action = Literal["close", "assign", "label", "unlabel", "snooze", "unsnooze"]


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """What to do: `assign` has an operator or a team, `label` and `unlabel` have labels, `snooze` has a time."""

    action: Action
    conversation_ids: Sequence[int]
    operator_id: int | None = None
    team_id: int | None = None
    label_ids: Sequence[int] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class UndoStep:
    """What an action changed in one conversation: enough to undo it without undoing anything later."""

    conversation_id: int
    generation: int
    """Of the conversation after the action: it has grown since, if somebody else answers now."""
    assignment: Assignment | None = None
    """Who answered before; None if the action did not change it."""
    added_labels: tuple[int, ...] = ()
    removed_labels: tuple[int, ...] = ()
    snoozed_until: datetime | None = None
    """After the action."""
    snoozed_until_before: datetime | None = None

    @classmethod
    def between(cls, before: Conversation, after: Conversation) -> UndoStep:
        """The step that leads from `after` back to `before`."""
        reassigned = before.generation != after.generation
        return cls(
            after.id,
            after.generation,
            before.assignment if reassigned else None,
            tuple(label_id for label_id in after.label_ids if label_id not in before.label_ids),
            tuple(label_id for label_id in before.label_ids if label_id not in after.label_ids),
            after.snoozed_until,
            before.snoozed_until,
        )


@dataclass(frozen=True, slots=True)
class BulkAction:
    """An action that was done, and how to undo it."""

    id: int
    tenant_id: int
    operator_id: int
    action: Action
    at: datetime
    steps: tuple[UndoStep, ...]


@dataclass(frozen=True, slots=True)
class ConversationResult:
    """What came of an action, or of its undoing, for one conversation. `error` is None if it was done."""

    conversation_id: int
    error: ParleyError | None = None


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """`action_id` is None if nothing was changed."""

    action_id: int | None
    results: Sequence[ConversationResult]
