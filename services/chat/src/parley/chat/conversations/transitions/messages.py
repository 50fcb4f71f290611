"""Transitions that add messages, notes and what the AI does for a reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from parley.chat.ai.timeouts import REPLY_LEASE_SECONDS
from parley.chat.ai.usage import EngineUsage, merge
from parley.chat.conversations import events
from parley.chat.conversations.model import (
    MAX_LABELS,
    Change,
    Conversation,
    ReplyLease,
    VisitorSilence,
)
from parley.chat.conversations.transitions.steps import (
    PREVIEW_LENGTH,
    append_message,
    assign_to,
    reassign,
    require_not_assigned_to_another,
    require_open,
    seconds_in_queue,
)
from parley.chat.messages.model import MessageDraft, Note
from parley.chat.sites.silence_policy import SilencePolicy
from parley.chat.tools.consent import means_yes
from parley.chat.tools.model import PendingCall
from parley.chat.visitors.model import Visitor
from parley.common.events import Event
from parley.common.events.schemas import Mode, OperatorRef

REPLY_LEASE_DURATION = timedelta(seconds=REPLY_LEASE_SECONDS)


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
    require_open(conversation)
    if opening is not None and conversation.last_seq == 0:
        before, opened = append_message(conversation, opening, at)
        answered = add_visitor_message(
            before, draft, at, timeout, needs_human=needs_human, reason=reason, notice=notice
        )
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
    after, message = append_message(conversation, draft, at, **also)
    if was_snoozed:
        after = after.with_history(at, "woken", None)
    emitted: list[Event] = [events.message_created(after, message)]
    if was_snoozed:
        emitted.append(events.updated(after, reason="woken"))
    change = Change(after, tuple(emitted), (message,))
    return _hand_off(change, at, reason, notice) if after.mode == "ai" and needs_human else change


def _hand_off(change: Change, at: datetime, reason: str, notice: MessageDraft | None) -> Change:
    """Add a handoff to a change, and the message to the visitor that no operator is available."""
    after = reassign(change.conversation, "pending", None, at).with_history(at, "pending", None, reason=reason)
    emitted = [*change.events, events.pending(after, reason)]
    messages = change.messages
    if notice is not None:
        after, notice_message = append_message(after, notice, at)
        emitted.append(events.message_created(after, notice_message))
        messages = (*messages, notice_message)
    return replace(change, conversation=after, events=tuple(emitted), messages=messages)


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
    require_open(conversation)
    require_not_assigned_to_another(conversation, by)
    emitted: list[Event] = []
    after = conversation
    if after.operator is None:
        after = assign_to(after, by, at, timeout)
        emitted.append(events.accepted(after, by, seconds_in_queue(conversation, at)))
    begun = None
    if silence is not None and after.snoozed_until is None:
        begun = VisitorSilence(at, silence.first_step(at))
    after, message = append_message(after, draft, at, waiting_since=None, due_at=None, silence=begun)
    emitted.append(events.message_created(after, message))
    return Change(after, tuple(emitted), (message,))


def add_ai_message(
    conversation: Conversation,
    draft: MessageDraft,
    generation: int,
    at: datetime,
    *,
    knew_answer: bool,
    usage: Sequence[EngineUsage] = (),
    pending_call: PendingCall | None = None,
) -> Change | None:
    """Add the AI's reply. None if who answers has changed since `generation`: the reply is discarded.

    `pending_call` is what it asks the visitor about. What an earlier reply has asked ends, unless the visitor has
    agreed since.
    """
    if conversation.generation != generation or conversation.mode != "ai":
        return None
    after, message = append_message(conversation, draft, at)
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
        tokens=after.tokens + sum(one.tokens.total for one in usage),
        usage=None if after.usage is None else merge(after.usage, usage),
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
    return Change(conversation.with_history(at, "tool_called", None, reason=", ".join(titles)[:PREVIEW_LENGTH]))


def renew_reply_lease(conversation: Conversation, at: datetime) -> Change | None:
    """Take over an AI reply whose lease has ended. None if it has not, or if no reply is due."""
    lease = conversation.reply_lease
    if lease is None or lease.until > at or conversation.mode != "ai":
        return None
    return Change(replace(conversation, reply_lease=ReplyLease(lease.seq, at + REPLY_LEASE_DURATION)))


def add_note(conversation: Conversation, note: Note, at: datetime) -> Change:
    after = replace(conversation, updated_at=at)
    return Change(after, (events.note_created(after, note),), notes=(note,))


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
