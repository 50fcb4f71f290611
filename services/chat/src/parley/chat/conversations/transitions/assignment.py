"""Transitions that change who answers: handoff, assignment, transfer, the end and what undoes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from parley.chat.conversations import events
from parley.chat.conversations.errors import (
    ChangedSince,
    ConversationIsOpen,
    NotAssigned,
)
from parley.chat.conversations.model import (
    MAX_HISTORY_CANDIDATES,
    Assignment,
    AssignmentCandidate,
    Change,
    Conversation,
    ReplyLease,
)
from parley.chat.conversations.transitions.steps import (
    append_message,
    assign_to,
    end_for_newer,
    is_awaited,
    reassign,
    require_not_assigned_to_another,
    require_open,
    seconds_in_queue,
)
from parley.chat.messages.model import MessageDraft
from parley.common.events.schemas import Mode, OperatorRef, TeamRef


def accept(conversation: Conversation, by: OperatorRef, at: datetime, timeout: timedelta) -> Change:
    """Assign the conversation to an operator, from the AI or from the queue. No change if it is theirs already.

    Raises ConversationIsClosed, AssignedToAnother.
    """
    require_open(conversation)
    require_not_assigned_to_another(conversation, by)
    if conversation.is_assigned_to(by.id):
        return Change(conversation)
    after = assign_to(conversation, by, at, timeout)
    return Change(after, (events.accepted(after, by, seconds_in_queue(conversation, at)),))


def assign(
    conversation: Conversation,
    to: OperatorRef,
    reason: str,
    candidates: Sequence[AssignmentCandidate],
    generation: int,
    at: datetime,
    timeout: timedelta,
) -> Change | None:
    """Give a waiting conversation to an operator who was chosen for it.

    None if it does not wait any more, or if who answers has changed since `generation`.
    """
    if conversation.mode != "pending" or conversation.generation != generation:
        return None
    named = tuple(candidates)[:MAX_HISTORY_CANDIDATES]
    after = reassign(conversation, "operator", to, at)
    after = after.with_history(at, "assigned", None, to, reason=reason, candidates=named)
    after = replace(after, due_at=at + timeout)
    return Change(after, (events.assigned(after, reason, seconds_in_queue(conversation, at)),))


def invalidate_assignment(conversation: Conversation) -> Change | None:
    """Make an assignment that another replica has begun fail. None if the conversation does not wait any more."""
    if conversation.mode != "pending":
        return None
    return Change(replace(conversation, generation=conversation.generation + 1))


def request_handoff(
    conversation: Conversation, reason: str, at: datetime, notice: MessageDraft | None = None
) -> Change:
    """Put the conversation into the queue, with a message to the visitor. No change if the AI does not answer it.

    Raises ConversationIsClosed.
    """
    require_open(conversation)
    if conversation.mode != "ai":
        return Change(conversation)
    after = reassign(conversation, "pending", None, at).with_history(at, "pending", None, reason=reason)
    emitted = [events.pending(after, reason)]
    if notice is None:
        return Change(after, tuple(emitted))
    after, message = append_message(after, notice, at)
    return Change(after, (*emitted, events.message_created(after, message)), (message,))


def transfer(
    conversation: Conversation, to: OperatorRef, by: OperatorRef, at: datetime, timeout: timedelta, *, overrule: bool
) -> Change:
    """Assign the conversation to another operator, whose timeout starts now.

    Raises ConversationIsClosed, AssignedToAnother.
    """
    require_open(conversation)
    require_not_assigned_to_another(conversation, by, overrule=overrule)
    if conversation.is_assigned_to(to.id):
        return Change(conversation)
    before = conversation.operator
    after = reassign(conversation, "operator", to, at).with_history(at, "transferred", by, to)
    # Also if no message waits: if the new operator is away, `time_out_operator` has to return the conversation.
    after = replace(after, due_at=at + timeout)
    return Change(after, (events.transferred(after, by, before),))


def transfer_to_team(
    conversation: Conversation, team: TeamRef, by: OperatorRef, at: datetime, *, overrule: bool
) -> Change:
    """Put the conversation into the queue of a team. No change if it waits there already.

    Raises ConversationIsClosed, AssignedToAnother.
    """
    require_open(conversation)
    require_not_assigned_to_another(conversation, by, overrule=overrule)
    if conversation.mode == "pending" and conversation.team_id == team.id:
        return Change(conversation)
    after = reassign(conversation, "pending", None, at).with_history(at, "transferred_to_team", by, team=team)
    after = replace(after, team_id=team.id)
    return Change(after, (events.pending(after, "transferred", by),))


def release(conversation: Conversation, by: OperatorRef, at: datetime, *, overrule: bool) -> Change:
    """Return the conversation to the AI. Raises ConversationIsClosed, AssignedToAnother, NotAssigned."""
    require_open(conversation)
    require_not_assigned_to_another(conversation, by, overrule=overrule)
    if conversation.mode == "ai":
        raise NotAssigned
    after = reassign(conversation, "ai", None, at).with_history(at, "released", by)
    return Change(after, (events.released(after, "released", by),))


def close(conversation: Conversation, by: OperatorRef, at: datetime, *, overrule: bool) -> Change:
    """Close the conversation. Raises ConversationIsClosed, AssignedToAnother."""
    require_open(conversation)
    require_not_assigned_to_another(conversation, by, overrule=overrule)
    after = reassign(conversation, "closed", None, at).with_history(at, "closed", by)
    after = replace(after, waiting_since=None)
    return Change(after, (events.closed(after, by),))


def reopen(conversation: Conversation, by: OperatorRef, at: datetime, timeout: timedelta) -> Change:
    """Assign a closed conversation to the operator who reopens it. No change if it is open and theirs already.

    A visitor whose last messages nobody has read waits again from now on. A rating stays until the visitor gives
    another one. Raises ConversationIsOpen, AssignedToAnother.
    """
    if conversation.is_assigned_to(by.id):
        return Change(conversation)
    require_not_assigned_to_another(conversation, by)
    if conversation.open:
        raise ConversationIsOpen
    after = assign_to(conversation, by, at, timeout, "reopened")
    after = replace(after, waiting_since=at if after.unread_seqs else None)
    return Change(after, (events.reopened(after, by),))


def restore_assignment(
    conversation: Conversation,
    assignment: Assignment,
    generation: int,
    by: OperatorRef,
    at: datetime,
    timeout: timedelta,
) -> Change:
    """Undo a change of who answers: a closed conversation is reopened, another operator's returns.

    `generation`: of the conversation after that change. Raises ChangedSince if who answers was changed again.
    """
    if conversation.generation != generation:
        raise ChangedSince
    after = reassign(conversation, assignment.mode, assignment.operator, at).with_history(
        at, "restored", by, assignment.operator
    )
    after = replace(
        after,
        waiting_since=assignment.waiting_since,
        snoozed_until=assignment.snoozed_until,
        team_id=assignment.team_id,
    )
    if assignment.mode == "operator" and is_awaited(after) and assignment.snoozed_until is None:
        after = replace(after, due_at=at + timeout)
    if not conversation.open:
        return Change(after, (events.reopened(after, by, "undone"),))
    match assignment.mode:
        case "operator":
            return Change(after, (events.transferred(after, by, conversation.operator, "undone"),))
        case "pending":
            return Change(after, (events.pending(after, "undone", by),))
        case _:
            return Change(after, (events.released(after, "undone", by),))


def time_out_operator(conversation: Conversation, to: Mode, at: datetime, *, online: bool = False) -> Change | None:
    """Take the conversation from an operator who has not replied in time. None if it is not overdue any more.

    An operator who is `online` keeps a conversation in which no message waits for them, as after a transfer.
    """
    if conversation.due_at is None or conversation.due_at > at or conversation.mode != "operator":
        return None
    if online and not conversation.unread_seqs:
        return Change(replace(conversation, due_at=None))
    after = reassign(conversation, to, None, at).with_history(at, "timed_out", None)
    if to == "ai":
        newest = conversation.unread_seqs[-1] if conversation.unread_seqs else None
        # The visitor still waits for a reply: with a lease that has ended already, a replica starts it immediately.
        after = replace(after, reply_lease=ReplyLease(newest, at) if newest else None)
        return Change(after, (events.released(after, "operator_timeout", None),))
    return Change(after, (events.pending(after, "operator_timeout"),))


def return_to_queue(conversation: Conversation, operator_id: int, reason: str, at: datetime) -> Change | None:
    """Take the conversation from an operator who may not have it any more. None if they do not have it.

    The visitor, who was promised a person, waits in the queue for another one. `reason` is also the history's action,
    with the former operator.
    """
    if conversation.mode != "operator" or not conversation.is_assigned_to(operator_id):
        return None
    after = reassign(conversation, "pending", None, at).with_history(at, reason, conversation.operator)
    return Change(after, (events.pending(after, reason),))


def close_for_newer(conversation: Conversation, at: datetime) -> Change | None:
    """Close the conversation of a person who goes on in a newer one. None if it is closed."""
    if not conversation.open:
        return None
    after = end_for_newer(conversation, at)
    return Change(after, (events.closed_for_newer(after),))
