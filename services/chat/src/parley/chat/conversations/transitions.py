"""What can happen to a conversation: pure functions from its state to a `Change`, or an error that says why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from parley.chat.ai.timeouts import REPLY_LEASE_SECONDS
from parley.chat.conversations import events
from parley.chat.conversations.errors import (
    AssignedToAnother,
    ChangedSince,
    ConversationIsClosed,
    ConversationIsOpen,
    NotAssigned,
    NotSnoozed,
)
from parley.chat.conversations.model import (
    MAX_HISTORY_CANDIDATES,
    MAX_LABELS,
    MAX_READ_MARKS,
    MAX_RECENT_IDS,
    MAX_UNREAD,
    Assignment,
    AssignmentCandidate,
    Change,
    Conversation,
    ReplyLease,
    TranslationState,
    VisitorSilence,
)
from parley.chat.messages.model import Message, MessageDraft, Note
from parley.chat.sites.silence_policy import SilencePolicy
from parley.chat.tools.consent import means_yes
from parley.chat.tools.model import PendingCall
from parley.chat.visitors.model import Visitor
from parley.common.errors import ValidationFailed
from parley.common.events import Event
from parley.common.events.schemas import LastMessage, Mode, OperatorRef, TeamRef
from parley.common.texts import close_directions

REPLY_LEASE_DURATION = timedelta(seconds=REPLY_LEASE_SECONDS)
_PREVIEW_LENGTH = 140


def open_conversation(
    visitor: Visitor,
    conversation_id: int,
    previous_id: int | None,
    mode: Mode,
    at: datetime,
    team_id: int | None = None,
) -> Change:
    """A visitor's new conversation, without messages. `team_id`: the team that the visitor has chosen."""
    conversation = Conversation(
        id=conversation_id,
        tenant_id=visitor.tenant_id,
        site_id=visitor.site_id,
        visitor=visitor,
        mode=mode,
        created_at=at,
        updated_at=at,
        waiting_since=at if mode == "pending" else None,
        previous_id=previous_id,
        team_id=team_id,
    )
    return Change(conversation, (events.created(conversation, None),))


def add_visitor_message(
    conversation: Conversation,
    draft: MessageDraft,
    at: datetime,
    timeout: timedelta,
    *,
    needs_human: bool,
    reason: str = "ai_blocked",
    notice: MessageDraft | None = None,
    opening: MessageDraft | None = None,
) -> Change:
    """Add a visitor's message. With `needs_human`, also request a handoff for a reason.

    `notice` is the message to the visitor that no operator is available; it is added only with a new handoff.
    `opening` is what the visitor was shown first and answers; it is added only to a conversation without messages.
    Raises ConversationIsClosed.
    """
    _require_open(conversation)
    if opening is not None and conversation.last_seq == 0:
        before, opened = _append_message(conversation, opening, at)
        answered = add_visitor_message(before, draft, at, timeout, needs_human=needs_human, notice=notice)
        created = events.message_created(before, opened)
        return replace(answered, events=(created, *answered.events), messages=(opened, *answered.messages))
    also: dict[str, Any] = {}
    if conversation.mode == "ai" and not needs_human:
        also["reply_lease"] = ReplyLease(conversation.last_seq + 1, at + REPLY_LEASE_DURATION)
    was_snoozed = conversation.snoozed_until is not None
    if was_snoozed:
        also["snoozed_until"] = None
    if conversation.silence is not None:
        also["silence"] = None
    if conversation.pending_call is not None:
        also["pending_call"] = _answer_confirmation(conversation, draft, at)
    if conversation.mode == "operator":
        also["waiting_since"] = conversation.waiting_since or at
        also["due_at"] = conversation.due_at or at + timeout
    after, message = _append_message(conversation, draft, at, **also)
    if was_snoozed:
        after = after.with_history(at, "woken", None)
    emitted: list[Event] = [events.message_created(after, message)]
    if was_snoozed:
        emitted.append(events.updated(after, reason="woken"))
    if after.mode != "ai" or not needs_human:
        return Change(after, tuple(emitted), (message,))
    after = _reassign(after, "pending", None, at).with_history(at, "pending", None, reason=reason)
    emitted.append(events.pending(after, reason))
    if notice is None:
        return Change(after, tuple(emitted), (message,))
    after, notice_message = _append_message(after, notice, at)
    emitted.append(events.message_created(after, notice_message))
    return Change(after, tuple(emitted), (message, notice_message))


def add_offline_message(
    conversation: Conversation,
    draft: MessageDraft,
    at: datetime,
    timeout: timedelta,
    *,
    team_id: int | None,
    label_id: int | None,
    notice: MessageDraft | None,
) -> Change:
    """Add the message of the form for times when nobody is there, and put the conversation into the queue.

    It gets a label, and the team that the visitor has chosen, unless somebody has it already. Raises
    ConversationIsClosed.
    """
    labels = conversation.label_ids
    if label_id is not None and label_id not in labels and len(labels) < MAX_LABELS:
        labels = (*labels, label_id)
    waits_already = conversation.mode != "ai"
    team_id = conversation.team_id if waits_already or team_id is None else team_id
    change = add_visitor_message(
        replace(conversation, label_ids=labels, team_id=team_id),
        draft,
        at,
        timeout,
        needs_human=True,
        reason="offline_form",
        notice=notice,
    )
    if not waits_already or labels == conversation.label_ids:
        return change
    return replace(change, events=(*change.events, events.updated(change.conversation)))


def add_operator_message(
    conversation: Conversation,
    draft: MessageDraft,
    by: OperatorRef,
    at: datetime,
    timeout: timedelta,
    silence: SilencePolicy | None = None,
) -> Change:
    """Add an operator's message. An unassigned conversation is accepted first.

    With a policy, the visitor's silence begins. Raises ConversationIsClosed, AssignedToAnother.
    """
    _require_open(conversation)
    _require_not_assigned_to_another(conversation, by)
    emitted: list[Event] = []
    after = conversation
    if after.operator is None:
        after = _assign(after, by, at, timeout)
        emitted.append(events.accepted(after, by, _seconds_in_queue(conversation, at)))
    begun = None
    if silence is not None and after.snoozed_until is None:
        begun = VisitorSilence(at, silence.first_step(at))
    after, message = _append_message(after, draft, at, waiting_since=None, due_at=None, silence=begun)
    emitted.append(events.message_created(after, message))
    return Change(after, tuple(emitted), (message,))


def add_ai_message(
    conversation: Conversation,
    draft: MessageDraft,
    generation: int,
    at: datetime,
    *,
    knew_answer: bool,
    tokens: int = 0,
    pending_call: PendingCall | None = None,
) -> Change | None:
    """Add the AI's reply. None if who answers has changed since `generation`: the reply is discarded.

    `pending_call` is what it asks the visitor about. What an earlier reply has asked ends, unless the visitor has
    agreed since.
    """
    if conversation.generation != generation or conversation.mode != "ai":
        return None
    after, message = _append_message(conversation, draft, at)
    lease = after.reply_lease
    if lease is not None and draft.reply_to is not None and lease.seq <= draft.reply_to:
        lease = None
    misses = 0 if knew_answer else after.consecutive_misses + 1
    if pending_call is not None:
        pending_call = replace(pending_call, asked_seq=message.seq)
    before = conversation.pending_call
    if before is not None and before.confirmed_by is not None and before.confirmed_by > (draft.reply_to or 0):
        pending_call = before
    after = replace(
        after,
        reply_lease=lease,
        consecutive_misses=misses,
        tokens=after.tokens + tokens,
        pending_call=pending_call,
    )
    return Change(after, (events.message_created(after, message),), (message,))


def start_confirmed_call(conversation: Conversation, call_id: str, generation: int, at: datetime) -> Change | None:
    """Begin to carry out what the visitor has agreed to. None if that has begun before, or somebody else answers."""
    pending = conversation.pending_call
    if pending is None or pending.id != call_id or pending.confirmed_by is None or pending.started:
        return None
    if conversation.generation != generation or conversation.mode != "ai":
        return None
    after = replace(conversation, pending_call=replace(pending, started=True), updated_at=at)
    return Change(after.with_history(at, "tool_confirmed", None, reason=pending.title))


def record_discarded_calls(conversation: Conversation, titles: Sequence[str], at: datetime) -> Change:
    """Note the calls of a reply that was discarded, for the operator who has taken over."""
    return Change(conversation.with_history(at, "tool_called", None, reason=", ".join(titles)[:_PREVIEW_LENGTH]))


def accept(conversation: Conversation, by: OperatorRef, at: datetime, timeout: timedelta) -> Change:
    """Assign the conversation to an operator, from the AI or from the queue. No change if it is theirs already.

    Raises ConversationIsClosed, AssignedToAnother.
    """
    _require_open(conversation)
    _require_not_assigned_to_another(conversation, by)
    if conversation.is_assigned_to(by.id):
        return Change(conversation)
    after = _assign(conversation, by, at, timeout)
    return Change(after, (events.accepted(after, by, _seconds_in_queue(conversation, at)),))


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
    after = _reassign(conversation, "operator", to, at)
    after = after.with_history(at, "assigned", None, to, reason=reason, candidates=named)
    after = replace(after, due_at=at + timeout)
    return Change(after, (events.assigned(after, reason, _seconds_in_queue(conversation, at)),))


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
    _require_open(conversation)
    if conversation.mode != "ai":
        return Change(conversation)
    after = _reassign(conversation, "pending", None, at).with_history(at, "pending", None, reason=reason)
    emitted = [events.pending(after, reason)]
    if notice is None:
        return Change(after, tuple(emitted))
    after, message = _append_message(after, notice, at)
    return Change(after, (*emitted, events.message_created(after, message)), (message,))


def transfer(
    conversation: Conversation, to: OperatorRef, by: OperatorRef, at: datetime, timeout: timedelta, *, overrule: bool
) -> Change:
    """Assign the conversation to another operator, whose timeout starts now.

    Raises ConversationIsClosed, AssignedToAnother.
    """
    _require_open(conversation)
    _require_not_assigned_to_another(conversation, by, overrule=overrule)
    if conversation.is_assigned_to(to.id):
        return Change(conversation)
    before = conversation.operator
    after = _reassign(conversation, "operator", to, at).with_history(at, "transferred", by, to)
    # Also if no message waits: if the new operator is away, `time_out_operator` has to return the conversation.
    after = replace(after, due_at=at + timeout)
    return Change(after, (events.transferred(after, by, before),))


def transfer_to_team(
    conversation: Conversation, team: TeamRef, by: OperatorRef, at: datetime, *, overrule: bool
) -> Change:
    """Put the conversation into the queue of a team. No change if it waits there already.

    Raises ConversationIsClosed, AssignedToAnother.
    """
    _require_open(conversation)
    _require_not_assigned_to_another(conversation, by, overrule=overrule)
    if conversation.mode == "pending" and conversation.team_id == team.id:
        return Change(conversation)
    after = _reassign(conversation, "pending", None, at).with_history(at, "transferred_to_team", by, team=team)
    after = replace(after, team_id=team.id)
    return Change(after, (events.pending(after, "transferred", by),))


def release(conversation: Conversation, by: OperatorRef, at: datetime, *, overrule: bool) -> Change:
    """Return the conversation to the AI. Raises ConversationIsClosed, AssignedToAnother, NotAssigned."""
    _require_open(conversation)
    _require_not_assigned_to_another(conversation, by, overrule=overrule)
    if conversation.mode == "ai":
        raise NotAssigned
    after = _reassign(conversation, "ai", None, at).with_history(at, "released", by)
    return Change(after, (events.released(after, "released", by),))


def close(conversation: Conversation, by: OperatorRef, at: datetime, *, overrule: bool) -> Change:
    """Close the conversation. Raises ConversationIsClosed, AssignedToAnother."""
    _require_open(conversation)
    _require_not_assigned_to_another(conversation, by, overrule=overrule)
    after = _reassign(conversation, "closed", None, at).with_history(at, "closed", by)
    after = replace(after, waiting_since=None)
    return Change(after, (events.closed(after, by),))


def reopen(conversation: Conversation, by: OperatorRef, at: datetime, timeout: timedelta) -> Change:
    """Assign a closed conversation to the operator who reopens it. No change if it is open and theirs already.

    A visitor whose last messages nobody has read waits again from now on. A rating stays until the visitor gives
    another one. Raises ConversationIsOpen, AssignedToAnother.
    """
    if conversation.is_assigned_to(by.id):
        return Change(conversation)
    _require_not_assigned_to_another(conversation, by)
    if conversation.open:
        raise ConversationIsOpen
    after = _assign(conversation, by, at, timeout, "reopened")
    after = replace(after, waiting_since=at if after.unread_seqs else None)
    return Change(after, (events.reopened(after, by),))


def set_labels(conversation: Conversation, label_ids: Sequence[int], by: OperatorRef, at: datetime) -> Change:
    """Replace the labels, of a closed conversation too. No change if it has just these. Raises ValidationFailed."""
    unique = tuple(dict.fromkeys(label_ids))
    if len(unique) > MAX_LABELS:
        raise ValidationFailed({"labels": f"a conversation can have at most {MAX_LABELS}"})
    if set(unique) == set(conversation.label_ids):
        return Change(conversation)
    after = replace(conversation, label_ids=unique, updated_at=at).with_history(at, "labeled", by)
    return Change(after, (events.updated(after, by, "labels"),))


def change_labels(
    conversation: Conversation, add: Sequence[int], remove: Sequence[int], by: OperatorRef, at: datetime
) -> Change:
    """Give and take some labels; others stay. No change without effect. Raises ValidationFailed."""
    kept = [label_id for label_id in conversation.label_ids if label_id not in remove]
    return set_labels(conversation, [*kept, *add], by, at)


def remove_deleted_label(conversation: Conversation, label_id: int, at: datetime) -> Change | None:
    """Take a label off that was deleted. None if the conversation does not have it."""
    if label_id not in conversation.label_ids:
        return None
    remaining = tuple(other for other in conversation.label_ids if other != label_id)
    after = replace(conversation, label_ids=remaining, updated_at=at)
    return Change(after, (events.updated(after, None, "labels"),))


def snooze(conversation: Conversation, until: datetime, by: OperatorRef, at: datetime, *, overrule: bool) -> Change:
    """Leave the conversation out of the lists of open ones until a time, or until the visitor writes.

    Meanwhile no deadline runs: neither the operator's nor the visitor's. Raises ConversationIsClosed,
    AssignedToAnother, ValidationFailed.
    """
    _require_open(conversation)
    _require_not_assigned_to_another(conversation, by, overrule=overrule)
    if until <= at:
        raise ValidationFailed({"until": "must be in the future"})
    if conversation.snoozed_until == until:
        return Change(conversation)
    after = replace(conversation, snoozed_until=until, due_at=None, silence=None, updated_at=at)
    after = after.with_history(at, "snoozed", by)
    return Change(after, (events.updated(after, by, "snoozed"),))


def unsnooze(
    conversation: Conversation, by: OperatorRef, at: datetime, timeout: timedelta, *, overrule: bool
) -> Change:
    """End a snooze before its time. Raises NotSnoozed, AssignedToAnother."""
    _require_not_assigned_to_another(conversation, by, overrule=overrule)
    if conversation.snoozed_until is None:
        raise NotSnoozed
    return _wake(conversation, by, at, timeout)


def wake(conversation: Conversation, at: datetime, timeout: timedelta | None) -> Change | None:
    """End a snooze whose time has come. None if it has ended already, or was extended.

    `timeout`: for the operator's reply, if the visitor waits for one; None for no limit.
    """
    if conversation.snoozed_until is None or conversation.snoozed_until > at:
        return None
    return _wake(conversation, None, at, timeout)


def check_silence(
    conversation: Conversation, policy: SilencePolicy | None, notice: MessageDraft, at: datetime
) -> Change | None:
    """The next step of a visitor's silence: a notice to them, or the end. None if none is due any more.

    `policy` is the site's present one: without it nothing happens, and a longer time is waited for. Each notice is
    given the time that the policy has between notice and end, also if both are overdue.
    """
    silence = conversation.silence
    if silence is None or silence.check_at > at:
        return None
    if policy is None or conversation.mode != "operator":
        return Change(replace(conversation, silence=None))
    next_step = silence.since + policy.until_closed if silence.announced else policy.first_step(silence.since)
    if next_step > at:
        return Change(replace(conversation, silence=replace(silence, check_at=next_step)))
    if policy.notice and not silence.announced:
        closes_at = max(silence.since + policy.until_closed, at + policy.notice)
        announced = replace(silence, check_at=closes_at, announced=True)
        after, message = _append_message(conversation, notice, at, silence=announced)
        return Change(after, (events.message_created(after, message),), (message,))
    after = _reassign(conversation, "closed", None, at).with_history(at, "closed_for_silence", None)
    after = replace(after, waiting_since=None)
    return Change(after, (events.closed_for_silence(after),))


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
    after = _reassign(conversation, assignment.mode, assignment.operator, at).with_history(
        at, "restored", by, assignment.operator
    )
    after = replace(
        after,
        waiting_since=assignment.waiting_since,
        snoozed_until=assignment.snoozed_until,
        team_id=assignment.team_id,
    )
    if assignment.mode == "operator" and _is_awaited(after) and assignment.snoozed_until is None:
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


def restore_snooze(
    conversation: Conversation,
    present: datetime | None,
    before: datetime | None,
    by: OperatorRef,
    at: datetime,
    timeout: timedelta,
) -> Change:
    """Undo the begin, the change or the end of a snooze. Raises ChangedSince if it is not `present` any more."""
    if conversation.snoozed_until != present or not conversation.open:
        raise ChangedSince
    if before is None or before <= at:
        return _wake(conversation, by, at, timeout)
    return snooze(conversation, before, by, at, overrule=True)


def time_out_operator(conversation: Conversation, to: Mode, at: datetime, *, online: bool = False) -> Change | None:
    """Take the conversation from an operator who has not replied in time. None if it is not overdue any more.

    An operator who is `online` keeps a conversation in which no message waits for them, as after a transfer.
    """
    if conversation.due_at is None or conversation.due_at > at or conversation.mode != "operator":
        return None
    if online and not conversation.unread_seqs:
        return Change(replace(conversation, due_at=None))
    after = _reassign(conversation, to, None, at).with_history(at, "timed_out", None)
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
    after = _reassign(conversation, "pending", None, at).with_history(at, reason, conversation.operator)
    return Change(after, (events.pending(after, reason),))


def renew_reply_lease(conversation: Conversation, at: datetime) -> Change | None:
    """Take over an AI reply whose lease has ended. None if it has not, or if no reply is due."""
    lease = conversation.reply_lease
    if lease is None or lease.until > at or conversation.mode != "ai":
        return None
    return Change(replace(conversation, reply_lease=ReplyLease(lease.seq, at + REPLY_LEASE_DURATION)))


def mark_read_by_operator(conversation: Conversation, seq: int, by: OperatorRef, at: datetime) -> Change:
    """Raises ValidationFailed for a seq that does not exist yet."""
    if seq > conversation.last_seq:
        raise ValidationFailed({"seq": f"the newest message is {conversation.last_seq}"})
    before = next((read for person, read in conversation.reads if person.id == by.id), 0)
    if seq <= before:
        return Change(conversation)
    others = tuple((person, read) for person, read in conversation.reads if person.id != by.id)
    after = replace(
        conversation,
        operator_read_seq=max(seq, conversation.operator_read_seq),
        reads=(*others, (by, seq))[-MAX_READ_MARKS:],
        unread_seqs=tuple(unread for unread in conversation.unread_seqs if unread > seq),
        updated_at=at,
    )
    return Change(after, (events.message_read(after, seq, by),))


def mark_read_by_visitor(conversation: Conversation, seq: int, at: datetime) -> Change:
    """A seq that does not exist yet counts as the newest."""
    seq = min(seq, conversation.last_seq)
    if seq <= conversation.visitor_read_seq:
        return Change(conversation)
    after = replace(conversation, visitor_read_seq=seq, updated_at=at)
    return Change(after, (events.message_read(after, seq, None),))


def add_note(conversation: Conversation, note: Note, at: datetime) -> Change:
    after = replace(conversation, updated_at=at)
    return Change(after, (events.note_created(after, note),), notes=(note,))


def rate(conversation: Conversation, score: int, comment: str | None, at: datetime) -> Change:
    """Set the visitor's rating; a later one replaces it."""
    after = replace(conversation, rating=score, rating_comment=comment, rated_at=at, updated_at=at)
    return Change(after, (events.rated(after, score, comment),))


def apply_visitor_update(conversation: Conversation, visitor: Visitor, by: OperatorRef | None, at: datetime) -> Change:
    """Update the conversation's copy of the visitor; an older version changes nothing.

    A visitor who is now blocked for operators is returned to the AI.
    """
    if visitor.key != conversation.visitor.key or visitor.version <= conversation.visitor.version:
        return Change(conversation)
    block_changed = visitor.blocked != conversation.visitor.blocked
    after = replace(conversation, visitor=visitor, updated_at=at)
    emitted: list[Event] = []
    if block_changed and visitor.blocked in ("both", "operator") and after.mode in ("operator", "pending"):
        after = _reassign(after, "ai", None, at).with_history(at, "released", by)
        emitted.append(events.released(after, "blocked", by))
    if block_changed and by is not None:
        emitted.append(events.visitor_blocked(after, by))
    else:
        emitted.append(events.visitor_updated(after, by))
    return Change(after, tuple(emitted))


def join(conversation: Conversation, session: str, person: Visitor, at: datetime, *, stays_open: bool) -> Change | None:
    """Give the conversation of an unidentified session to the person whom the site has identified.

    It is closed unless it `stays_open`, and returned to the AI if the person may not reach operators. None if it is
    not that session's any more.
    """
    if conversation.visitor.session != session:
        return None
    # Consent was given by nobody in particular: it is not the person's.
    after = replace(conversation, visitor=person, pending_call=None, updated_at=at).with_history(at, "joined", None)
    if after.open and not stays_open:
        after = _close_for_newer(after, at)
    elif person.blocked in ("both", "operator") and after.mode in ("operator", "pending"):
        after = _reassign(after, "ai", None, at).with_history(at, "released", None)
    return Change(after, (events.joined(after, session),))


def close_for_newer(conversation: Conversation, at: datetime) -> Change | None:
    """Close the conversation of a person who goes on in a newer one. None if it is closed."""
    if not conversation.open:
        return None
    after = _close_for_newer(conversation, at)
    return Change(after, (events.closed_for_newer(after),))


def apply_translation_update(conversation: Conversation, translation: TranslationState, at: datetime) -> Change:
    """Store how the translate service translates this conversation; an older version changes nothing."""
    if translation.version < conversation.translation.version or conversation.translation == translation:
        return Change(conversation)
    after = replace(conversation, translation=translation, updated_at=at)
    return Change(after, (events.updated(after),))


def anonymized(conversation: Conversation, at: datetime) -> Conversation:
    """The conversation closed and without any data of its visitor, as the events of an erasure carry it."""
    visitor = Visitor(conversation.tenant_id, conversation.site_id, conversation.visitor.session)
    after = _reassign(conversation, "closed", None, at)
    return replace(
        after,
        visitor=visitor,
        last_message=None,
        last_visitor_message=None,
        unread_seqs=(),
        label_ids=(),
        rating=None,
        rating_comment=None,
        waiting_since=None,
        version=conversation.version + 1,
    )


def _append_message(
    conversation: Conversation, draft: MessageDraft, at: datetime, **also: Any
) -> tuple[Conversation, Message]:
    """Give the draft the next seq. Leaves to the caller who answers, and whether a reply is due: what else changes.

    Each copy of a conversation is a tenth of a transition, so the caller's changes share this one.
    """
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
        file=draft.file,
        sender=draft.sender,
        message_id=draft.message_id,
        reply_to=draft.reply_to,
        proactive=draft.proactive,
        sources=draft.sources,
        confirmation=draft.confirmation,
        tool_calls=draft.tool_calls,
        quick_replies=draft.quick_replies,
        translation=draft.translation,
    )
    preview = close_directions(draft.content[:_PREVIEW_LENGTH])
    if not preview:
        preview = "🖼" if draft.file is None else f"📎 {draft.file.name}"[:_PREVIEW_LENGTH]
    recent_ids = conversation.recent_ids
    if draft.message_id is not None:
        recent_ids = (*recent_ids, (draft.message_id, seq))[-MAX_RECENT_IDS:]
    unread_seqs = conversation.unread_seqs
    if draft.role == "visitor":
        unread_seqs = (*unread_seqs, seq)[-MAX_UNREAD:]
    if draft.role == "operator":
        also["first_operator_message_at"] = conversation.first_operator_message_at or at
    elif draft.role == "ai" and not draft.proactive:
        also["first_ai_message_at"] = conversation.first_ai_message_at or at
    last_message = LastMessage(seq=seq, role=draft.role, preview=preview, created_at=at)
    after = replace(
        conversation,
        last_seq=seq,
        last_message=last_message,
        last_visitor_message=last_message if draft.role == "visitor" else conversation.last_visitor_message,
        unread_seqs=unread_seqs,
        recent_ids=recent_ids,
        updated_at=at,
        **also,
    )
    return after, message


def _answer_confirmation(conversation: Conversation, draft: MessageDraft, at: datetime) -> PendingCall | None:
    """What the AI has asked about, after the visitor's next message: agreed to, or ended by any other answer."""
    pending = conversation.pending_call
    if pending is None or pending.confirmed_by is not None:
        return pending
    agrees = means_yes(draft.content) if draft.confirms is None else draft.confirms == pending.id
    # A replica of the version before may have received other messages since, and has not ended the question.
    is_next = conversation.last_seq == pending.asked_seq and pending.generation == conversation.generation
    if not agrees or not is_next or at >= pending.expires_at:
        return None
    return replace(pending, confirmed_by=conversation.last_seq + 1)


def _close_for_newer(conversation: Conversation, at: datetime) -> Conversation:
    after = _reassign(conversation, "closed", None, at).with_history(at, "closed_for_newer", None)
    return replace(after, waiting_since=None)


def _reassign(conversation: Conversation, mode: Mode, operator: OperatorRef | None, at: datetime) -> Conversation:
    """Change who answers. Replies that started under the previous generation are discarded from here on."""
    waiting_since = conversation.waiting_since
    if mode == "pending":
        waiting_since = waiting_since or at
    elif mode != "operator" or not conversation.unread_seqs:
        waiting_since = None
    return replace(
        conversation,
        mode=mode,
        operator=operator,
        # Who asks for a person again, after the AI, is not a case of that team any more.
        team_id=None if mode == "ai" else conversation.team_id,
        generation=conversation.generation + 1,
        waiting_since=waiting_since,
        reply_lease=None,
        due_at=None,
        snoozed_until=None,
        silence=conversation.silence if mode == "operator" else None,
        pending_call=None,
        consecutive_misses=0,
        updated_at=at,
    )


def _assign(
    conversation: Conversation, operator: OperatorRef, at: datetime, timeout: timedelta, action: str = "accepted"
) -> Conversation:
    after = _reassign(conversation, "operator", operator, at).with_history(at, action, operator)
    return replace(after, due_at=at + timeout if _is_awaited(conversation) else None)


def _is_awaited(conversation: Conversation) -> bool:
    """Whether the visitor waits for an operator's reply, also to messages that somebody read while they queued."""
    return bool(conversation.unread_seqs) or conversation.waiting_since is not None


def _wake(conversation: Conversation, by: OperatorRef | None, at: datetime, timeout: timedelta | None) -> Change:
    due_at = None
    if conversation.mode == "operator" and _is_awaited(conversation) and timeout is not None:
        due_at = at + timeout
    after = replace(conversation, snoozed_until=None, due_at=due_at, updated_at=at).with_history(at, "woken", by)
    return Change(after, (events.updated(after, by, "woken"),))


def _seconds_in_queue(conversation: Conversation, at: datetime) -> float | None:
    """How long the visitor has waited in the queue; None if the conversation is not in it."""
    if conversation.mode != "pending" or conversation.waiting_since is None:
        return None
    return max(0.0, (at - conversation.waiting_since).total_seconds())


def _require_open(conversation: Conversation) -> None:
    if not conversation.open:
        raise ConversationIsClosed


def _require_not_assigned_to_another(conversation: Conversation, by: OperatorRef, *, overrule: bool = False) -> None:
    assigned = conversation.operator
    if assigned is not None and assigned.id != by.id and not overrule:
        raise AssignedToAnother(assigned.id, assigned.name)
