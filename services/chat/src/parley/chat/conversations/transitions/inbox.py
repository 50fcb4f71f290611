"""Transitions by which operators keep their inbox in order: labels, snoozing, and the silence of visitors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from parley.chat.conversations import events
from parley.chat.conversations.errors import (
    ChangedSince,
    NotSnoozed,
)
from parley.chat.conversations.model import (
    MAX_LABELS,
    Change,
    Conversation,
)
from parley.chat.conversations.transitions.steps import (
    append_message,
    end_snooze,
    reassign,
    require_not_assigned_to_another,
    require_open,
)
from parley.chat.messages.model import MessageDraft
from parley.chat.sites.silence_policy import SilencePolicy
from parley.common.errors import ValidationFailed
from parley.common.events.schemas import OperatorRef


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
    require_open(conversation)
    require_not_assigned_to_another(conversation, by, overrule=overrule)
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
    require_not_assigned_to_another(conversation, by, overrule=overrule)
    if conversation.snoozed_until is None:
        raise NotSnoozed
    return end_snooze(conversation, by, at, timeout)


def wake(conversation: Conversation, at: datetime, timeout: timedelta | None) -> Change | None:
    """End a snooze whose time has come. None if it has ended already, or was extended.

    `timeout`: for the operator's reply, if the visitor waits for one; None for no limit.
    """
    if conversation.snoozed_until is None or conversation.snoozed_until > at:
        return None
    return end_snooze(conversation, None, at, timeout)


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
        after, message = append_message(conversation, notice, at, silence=announced)
        return Change(after, (events.message_created(after, message),), (message,))
    after = reassign(conversation, "closed", None, at).with_history(at, "closed_for_silence", None)
    after = replace(after, waiting_since=None)
    return Change(after, (events.closed_for_silence(after),))


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
        return end_snooze(conversation, by, at, timeout)
    return snooze(conversation, before, by, at, overrule=True)
