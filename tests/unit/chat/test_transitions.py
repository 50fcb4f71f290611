"""Transitions of conversations: pure functions, tested without a database, a clock or sockets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from parley.chat.conversations import transitions
from parley.chat.conversations.errors import (
    AssignedToAnother,
    ChangedSince,
    ConversationIsClosed,
    ConversationIsOpen,
    NotAssigned,
    NotSnoozed,
)
from parley.chat.conversations.model import MAX_RECENT_IDS, Change, Conversation, VisitorSilence
from parley.chat.messages.model import MessageDraft
from parley.chat.sites.silence_policy import SilencePolicy
from parley.chat.tools.model import PendingCall
from parley.chat.visitors.model import Visitor
from parley.common.errors import ValidationFailed
from parley.common.events.schemas import OperatorRef, Role

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
TIMEOUT = timedelta(minutes=5)
ALEX, SAM = OperatorRef(id=1, name="Alex"), OperatorRef(id=2, name="Sam")
VISITOR = Visitor(tenant_id=7, site_id=3, session="sess_x", version=1)


def open_conversation() -> Conversation:
    return transitions.open_conversation(VISITOR, 50, None, "ai", NOW).conversation


def draft(number: int, role: Role = "visitor", **more: object) -> MessageDraft:
    return replace(MessageDraft(number, role, f"text {number}"), **more)  # type: ignore[arg-type]


def with_visitor_message(conversation: Conversation, number: int = 1) -> Conversation:
    return transitions.add_visitor_message(conversation, draft(number), NOW, TIMEOUT, needs_human=False).conversation


def event_types(change: Change) -> list[str]:
    return [event.type for event in change.events]


def test_messages_are_numbered_from_one_without_gaps() -> None:
    conversation = open_conversation()
    for number in range(1, 6):
        conversation = with_visitor_message(conversation, number)
        assert conversation.last_seq == number


def test_a_visitors_message_to_the_ai_starts_a_reply_lease() -> None:
    conversation = with_visitor_message(open_conversation())
    assert conversation.reply_lease is not None
    assert conversation.reply_lease.seq == 1


def test_a_visitor_who_is_blocked_for_the_ai_is_put_into_the_queue() -> None:
    change = transitions.add_visitor_message(open_conversation(), draft(1), NOW, TIMEOUT, needs_human=True)
    assert event_types(change) == ["message.created", "conversation.pending"]
    assert change.conversation.reply_lease is None
    assert change.conversation.waiting_since == NOW


def test_the_away_notice_follows_the_message_that_requests_the_handoff() -> None:
    notice = draft(2, "system")
    change = transitions.add_visitor_message(
        open_conversation(), draft(1), NOW, TIMEOUT, needs_human=True, notice=notice
    )
    assert event_types(change) == ["message.created", "conversation.pending", "message.created"]
    assert [(message.seq, message.role) for message in change.messages] == [(1, "visitor"), (2, "system")]
    again = transitions.add_visitor_message(
        change.conversation, draft(3), LATER, TIMEOUT, needs_human=True, notice=notice
    )
    assert event_types(again) == ["message.created"], "a visitor who already waits gets no second notice"


def test_a_message_below_a_trigger_can_request_a_handoff() -> None:
    opening = replace(draft(1, "ai"), proactive=True)
    change = transitions.add_visitor_message(
        open_conversation(), draft(2), NOW, TIMEOUT, needs_human=True, reason="asked", opening=opening
    )
    assert event_types(change) == ["message.created", "message.created", "conversation.pending"]
    assert [(message.seq, message.role) for message in change.messages] == [(1, "ai"), (2, "visitor")]
    assert change.events[2].data["reason"] == "asked"


def test_a_row_of_the_queue_can_show_what_the_visitor_wrote_last() -> None:
    change = transitions.add_visitor_message(
        open_conversation(), draft(1), NOW, TIMEOUT, needs_human=True, notice=draft(2, "system")
    )
    row = change.conversation.to_schema()
    assert row.last_message is not None
    assert row.last_message.role == "system"
    assert row.last_visitor_message is not None
    assert (row.last_visitor_message.seq, row.last_visitor_message.preview) == (1, "text 1")
    assert transitions.anonymized(change.conversation, LATER).to_schema().last_visitor_message is None


def test_accepting_discards_the_ais_reply() -> None:
    before = with_visitor_message(open_conversation())
    change = transitions.accept(before, ALEX, NOW, TIMEOUT)
    assert change.conversation.mode == "operator"
    assert change.conversation.generation == before.generation + 1
    assert change.conversation.reply_lease is None
    late = transitions.add_ai_message(change.conversation, draft(2, "ai"), before.generation, LATER, knew_answer=True)
    assert late is None


def test_an_ai_reply_is_added_only_under_the_generation_it_started_with() -> None:
    conversation = with_visitor_message(open_conversation())
    change = transitions.add_ai_message(
        conversation, draft(2, "ai", reply_to=1), conversation.generation, NOW, knew_answer=True
    )
    assert change is not None
    assert change.conversation.reply_lease is None
    stale = transitions.add_ai_message(conversation, draft(2, "ai"), conversation.generation - 1, NOW, knew_answer=True)
    assert stale is None


def test_a_reply_to_an_older_message_keeps_the_lease_of_the_newer_one() -> None:
    conversation = with_visitor_message(with_visitor_message(open_conversation(), 1), 2)
    change = transitions.add_ai_message(
        conversation, draft(3, "ai", reply_to=1), conversation.generation, NOW, knew_answer=True
    )
    assert change is not None
    assert change.conversation.reply_lease is not None
    assert change.conversation.reply_lease.seq == 2


def test_accepting_an_assigned_conversation_names_its_operator() -> None:
    assigned = transitions.accept(with_visitor_message(open_conversation()), ALEX, NOW, TIMEOUT).conversation
    with pytest.raises(AssignedToAnother) as caught:
        transitions.accept(assigned, SAM, NOW, TIMEOUT)
    assert caught.value.details["operator"] == {"id": 1, "name": "Alex"}


def test_accepting_ones_own_conversation_changes_nothing() -> None:
    assigned = transitions.accept(with_visitor_message(open_conversation()), ALEX, NOW, TIMEOUT).conversation
    again = transitions.accept(assigned, ALEX, LATER, TIMEOUT)
    assert again.conversation == assigned
    assert again.events == ()


def test_a_message_to_an_unassigned_conversation_accepts_it() -> None:
    change = transitions.add_operator_message(
        with_visitor_message(open_conversation()), draft(2, "operator", sender=ALEX), ALEX, NOW, TIMEOUT
    )
    assert event_types(change) == ["conversation.accepted", "message.created"]
    assert change.conversation.operator == ALEX


def test_a_message_to_another_operators_conversation_is_rejected() -> None:
    assigned = transitions.accept(open_conversation(), ALEX, NOW, TIMEOUT).conversation
    with pytest.raises(AssignedToAnother):
        transitions.add_operator_message(assigned, draft(2, "operator"), SAM, NOW, TIMEOUT)


def test_closed_conversation_cannot_be_accepted() -> None:
    closed = transitions.close(open_conversation(), ALEX, NOW, overrule=False).conversation
    with pytest.raises(ConversationIsClosed):
        transitions.accept(closed, ALEX, NOW, TIMEOUT)


def test_only_a_manager_can_close_another_operators_conversation() -> None:
    assigned = transitions.accept(open_conversation(), ALEX, NOW, TIMEOUT).conversation
    with pytest.raises(AssignedToAnother):
        transitions.close(assigned, SAM, NOW, overrule=False)
    assert transitions.close(assigned, SAM, NOW, overrule=True).conversation.mode == "closed"


def test_a_reopened_conversation_is_assigned_to_the_operator_who_reopens_it() -> None:
    assigned = transitions.accept(with_visitor_message(open_conversation()), ALEX, NOW, TIMEOUT).conversation
    rated = transitions.rate(assigned, 2, "slow", NOW).conversation
    closed = transitions.close(rated, ALEX, NOW, overrule=False).conversation
    change = transitions.reopen(closed, SAM, LATER, TIMEOUT)
    after = change.conversation
    assert event_types(change) == ["conversation.reopened"]
    assert (after.mode, after.operator, after.generation) == ("operator", SAM, closed.generation + 1)
    assert (after.waiting_since, after.due_at) == (LATER, LATER + TIMEOUT), "nobody has read the visitor's message"
    assert (after.rating, after.history[-1].action, after.history[-1].by) == (2, "reopened", SAM)
    again = transitions.close(after, SAM, LATER, overrule=False).conversation
    assert again.last_assigned_operator() == SAM


def test_an_undone_change_returns_the_conversation_and_says_so() -> None:
    assigned = transitions.accept(open_conversation(), ALEX, NOW, TIMEOUT).conversation
    moved = transitions.transfer(assigned, SAM, ALEX, NOW, TIMEOUT, overrule=False).conversation
    closed = transitions.close(assigned, ALEX, NOW, overrule=False).conversation
    for changed, event_type in ((moved, "conversation.transferred"), (closed, "conversation.reopened")):
        undone = transitions.restore_assignment(changed, assigned.assignment, changed.generation, SAM, LATER, TIMEOUT)
        assert [(event.type, event.data["reason"]) for event in undone.events] == [(event_type, "undone")]
        assert (undone.conversation.operator, undone.conversation.history[-1].action) == (ALEX, "restored")
        again = transitions.close(undone.conversation, ALEX, LATER, overrule=False).conversation
        assert again.last_assigned_operator() == ALEX
    with pytest.raises(ChangedSince):
        transitions.restore_assignment(moved, assigned.assignment, assigned.generation, SAM, LATER, TIMEOUT)


def test_an_open_conversation_cannot_be_reopened() -> None:
    with pytest.raises(ConversationIsOpen):
        transitions.reopen(open_conversation(), ALEX, NOW, TIMEOUT)
    assigned = transitions.accept(open_conversation(), ALEX, NOW, TIMEOUT).conversation
    with pytest.raises(AssignedToAnother):
        transitions.reopen(assigned, SAM, NOW, TIMEOUT)
    assert transitions.reopen(assigned, ALEX, NOW, TIMEOUT).events == ()


def test_the_ais_conversation_cannot_be_released() -> None:
    with pytest.raises(NotAssigned):
        transitions.release(open_conversation(), ALEX, NOW, overrule=False)


def test_waiting_starts_with_the_handoff_and_ends_with_the_operators_message() -> None:
    asked = transitions.request_handoff(with_visitor_message(open_conversation()), "asked", NOW).conversation
    assert asked.waiting_since == NOW
    taken = transitions.accept(asked, ALEX, LATER, TIMEOUT).conversation
    assert taken.waiting_since == NOW
    answered = transitions.add_operator_message(taken, draft(2, "operator"), ALEX, LATER, TIMEOUT).conversation
    assert answered.waiting_since is None
    assert answered.due_at is None


def test_a_second_handoff_request_changes_nothing() -> None:
    asked = transitions.request_handoff(open_conversation(), "asked", NOW).conversation
    assert transitions.request_handoff(asked, "asked", LATER).events == ()


def test_the_first_unanswered_message_starts_the_operators_timeout() -> None:
    assigned = transitions.accept(open_conversation(), ALEX, NOW, TIMEOUT).conversation
    assert assigned.due_at is None
    waiting = transitions.add_visitor_message(assigned, draft(1), NOW, TIMEOUT, needs_human=False).conversation
    again = transitions.add_visitor_message(waiting, draft(2), LATER, TIMEOUT, needs_human=False).conversation
    assert waiting.due_at == again.due_at == NOW + TIMEOUT
    assert waiting.to_schema().reply_due_at == NOW + TIMEOUT


def test_an_overdue_conversation_is_released_once() -> None:
    assigned = transitions.accept(with_visitor_message(open_conversation()), ALEX, NOW, TIMEOUT).conversation
    assert transitions.time_out_operator(assigned, "ai", NOW + TIMEOUT - timedelta(seconds=1)) is None
    change = transitions.time_out_operator(assigned, "ai", NOW + TIMEOUT)
    assert change is not None
    assert event_types(change) == ["conversation.released"]
    assert change.conversation.reply_lease is not None, "the visitor still waits for a reply"
    assert transitions.time_out_operator(change.conversation, "ai", NOW + TIMEOUT) is None


def test_an_overdue_conversation_can_be_returned_to_the_queue() -> None:
    assigned = transitions.accept(with_visitor_message(open_conversation()), ALEX, NOW, TIMEOUT).conversation
    change = transitions.time_out_operator(assigned, "pending", NOW + TIMEOUT)
    assert change is not None
    assert event_types(change) == ["conversation.pending"]


def test_a_conversation_transferred_to_somebody_who_is_away_comes_back() -> None:
    assigned = transitions.accept(open_conversation(), ALEX, NOW, TIMEOUT).conversation
    moved = transitions.transfer(assigned, SAM, ALEX, NOW, TIMEOUT, overrule=False).conversation
    assert not moved.unread_seqs
    assert moved.due_at == NOW + TIMEOUT
    kept = transitions.time_out_operator(moved, "pending", NOW + TIMEOUT, online=True)
    assert kept is not None
    assert (kept.events, kept.conversation.operator, kept.conversation.due_at) == ((), SAM, None)
    change = transitions.time_out_operator(moved, "pending", NOW + TIMEOUT, online=False)
    assert change is not None
    assert event_types(change) == ["conversation.pending"]


def test_messages_that_were_read_in_the_queue_still_start_the_operators_timeout() -> None:
    asked = transitions.request_handoff(with_visitor_message(open_conversation()), "asked", NOW).conversation
    read = transitions.mark_read_by_operator(asked, 1, ALEX, NOW).conversation
    assert transitions.accept(read, ALEX, NOW, TIMEOUT).conversation.due_at == NOW + TIMEOUT


def test_a_conversation_is_taken_only_from_the_operator_who_has_it() -> None:
    assigned = transitions.accept(open_conversation(), ALEX, NOW, TIMEOUT).conversation
    assert transitions.return_to_queue(assigned, SAM.id, "operator_removed", LATER) is None
    change = transitions.return_to_queue(assigned, ALEX.id, "operator_removed", LATER)
    assert change is not None
    assert event_types(change) == ["conversation.pending"]
    assert (change.conversation.waiting_since, change.conversation.operator) == (LATER, None)
    assert transitions.return_to_queue(change.conversation, ALEX.id, "operator_removed", LATER) is None


def test_reading_removes_exactly_the_read_messages_from_the_unread_ones() -> None:
    conversation = with_visitor_message(with_visitor_message(with_visitor_message(open_conversation(), 1), 2), 3)
    assert conversation.to_schema().unread == 3
    read = transitions.mark_read_by_operator(conversation, 2, ALEX, NOW).conversation
    assert read.to_schema().unread == 1
    assert transitions.mark_read_by_operator(read, 1, ALEX, NOW).events == (), "read marks never decrease"
    with pytest.raises(ValidationFailed):
        transitions.mark_read_by_operator(conversation, 4, ALEX, NOW)


def test_each_operator_has_a_read_mark() -> None:
    conversation = with_visitor_message(with_visitor_message(with_visitor_message(open_conversation(), 1), 2), 3)
    both = transitions.mark_read_by_operator(
        transitions.mark_read_by_operator(conversation, 3, ALEX, NOW).conversation, 2, SAM, NOW
    )
    assert {person.name: seq for person, seq in both.conversation.reads} == {"Alex": 3, "Sam": 2}
    assert event_types(both) == ["message.read"]
    assert both.conversation.operator_read_seq == 3
    assert both.conversation.to_schema().unread == 0


def test_blocking_for_operators_returns_the_conversation_to_the_ai() -> None:
    assigned = transitions.accept(open_conversation(), ALEX, NOW, TIMEOUT).conversation
    blocked = replace(VISITOR, blocked="operator", version=2)
    change = transitions.apply_visitor_update(assigned, blocked, ALEX, NOW)
    assert event_types(change) == ["conversation.released", "visitor.blocked"]
    assert change.conversation.mode == "ai"


def test_an_older_version_of_the_visitor_changes_nothing() -> None:
    conversation = replace(open_conversation(), visitor=replace(VISITOR, name="Jane", version=3))
    change = transitions.apply_visitor_update(conversation, replace(VISITOR, name="John", version=2), None, NOW)
    assert change.events == ()
    assert change.conversation.visitor.name == "Jane"


def test_a_conversation_keeps_a_limited_number_of_message_ids() -> None:
    conversation = open_conversation()
    for number in range(1, MAX_RECENT_IDS + 3):
        said = draft(number, message_id=f"m{number}")
        conversation = transitions.add_visitor_message(conversation, said, NOW, TIMEOUT, needs_human=False).conversation
    assert len(conversation.recent_ids) == MAX_RECENT_IDS
    assert conversation.find_recent_seq("m1") is None
    assert conversation.find_recent_seq(f"m{MAX_RECENT_IDS + 2}") == MAX_RECENT_IDS + 2
    assert conversation.find_recent_seq(None) is None


def test_a_reply_is_taken_over_only_after_its_lease_has_ended() -> None:
    leased = with_visitor_message(open_conversation())
    assert transitions.renew_reply_lease(leased, NOW) is None
    taken = transitions.renew_reply_lease(leased, NOW + transitions.REPLY_LEASE_DURATION)
    assert taken is not None
    assert transitions.renew_reply_lease(taken.conversation, NOW + transitions.REPLY_LEASE_DURATION) is None


def test_labels_are_replaced_without_repeats_and_in_their_order() -> None:
    change = transitions.set_labels(open_conversation(), [5, 3, 5], ALEX, LATER)
    assert change.conversation.label_ids == (5, 3)
    assert event_types(change) == ["conversation.updated"]
    assert not transitions.set_labels(change.conversation, [3, 5], ALEX, LATER).events
    assert transitions.change_labels(change.conversation, [7], [5], SAM, LATER).conversation.label_ids == (3, 7)
    with pytest.raises(ValidationFailed):
        transitions.set_labels(open_conversation(), range(1, 22), ALEX, LATER)


def test_a_deleted_label_is_taken_off() -> None:
    labeled = transitions.set_labels(open_conversation(), [5, 3], ALEX, NOW).conversation
    change = transitions.remove_deleted_label(labeled, 5, LATER)
    assert change is not None
    assert change.conversation.label_ids == (3,)
    assert transitions.remove_deleted_label(change.conversation, 5, LATER) is None


def test_a_snooze_ends_when_the_visitor_writes() -> None:
    accepted = transitions.accept(with_visitor_message(open_conversation()), ALEX, NOW, TIMEOUT).conversation
    until = NOW + timedelta(hours=1)
    snoozed = transitions.snooze(accepted, until, ALEX, NOW, overrule=False).conversation
    assert (snoozed.snoozed_until, snoozed.due_at) == (until, None)
    assert not transitions.snooze(snoozed, until, ALEX, NOW, overrule=False).events, "repeated"
    change = transitions.add_visitor_message(snoozed, draft(2), LATER, TIMEOUT, needs_human=False)
    assert event_types(change) == ["message.created", "conversation.updated"]
    assert change.conversation.snoozed_until is None
    assert change.conversation.due_at == LATER + TIMEOUT
    assert transitions.wake(change.conversation, until, TIMEOUT) is None


def test_a_snooze_needs_an_open_conversation_of_ones_own_and_a_time_to_come() -> None:
    accepted = transitions.accept(open_conversation(), ALEX, NOW, TIMEOUT).conversation
    with pytest.raises(AssignedToAnother):
        transitions.snooze(accepted, LATER, SAM, NOW, overrule=False)
    with pytest.raises(ValidationFailed):
        transitions.snooze(accepted, NOW, ALEX, NOW, overrule=False)
    with pytest.raises(NotSnoozed):
        transitions.unsnooze(accepted, ALEX, NOW, TIMEOUT, overrule=False)
    closed = transitions.close(accepted, ALEX, NOW, overrule=False).conversation
    with pytest.raises(ConversationIsClosed):
        transitions.snooze(closed, LATER, ALEX, NOW, overrule=False)


@pytest.mark.parametrize("action", ["close", "release", "transfer"])
def test_who_changes_who_answers_ends_the_snooze(action: str) -> None:
    accepted = transitions.accept(open_conversation(), ALEX, NOW, TIMEOUT).conversation
    snoozed = transitions.snooze(accepted, LATER, ALEX, NOW, overrule=False).conversation
    if action == "transfer":
        after = transitions.transfer(snoozed, SAM, ALEX, NOW, TIMEOUT, overrule=False).conversation
    else:
        after = getattr(transitions, action)(snoozed, ALEX, NOW, overrule=False).conversation
    assert after.snoozed_until is None


def test_the_visitors_silence_begins_with_each_message_of_the_operator() -> None:
    policy = SilencePolicy(timedelta(minutes=30), timedelta(minutes=10))
    written = transitions.add_operator_message(open_conversation(), draft(1), ALEX, NOW, TIMEOUT, policy).conversation
    assert written.silence == VisitorSilence(NOW, NOW + timedelta(minutes=20))
    again = transitions.add_operator_message(written, draft(2), ALEX, LATER, TIMEOUT, policy).conversation
    assert again.silence == VisitorSilence(LATER, LATER + timedelta(minutes=20))
    assert with_visitor_message(again, 3).silence is None
    transferred = transitions.transfer(again, SAM, ALEX, LATER, TIMEOUT, overrule=False).conversation
    assert transferred.silence == again.silence
    assert transitions.release(again, ALEX, LATER, overrule=False).conversation.silence is None


def test_an_overdue_notice_still_leaves_the_visitor_its_time() -> None:
    policy = SilencePolicy(timedelta(minutes=30), timedelta(minutes=10))
    silent = transitions.add_operator_message(open_conversation(), draft(1), ALEX, NOW, TIMEOUT, policy).conversation
    late = NOW + timedelta(hours=5)
    change = transitions.check_silence(silent, policy, draft(2, "system"), late)
    assert change is not None
    assert event_types(change) == ["message.created"]
    assert change.conversation.silence == VisitorSilence(NOW, late + timedelta(minutes=10), announced=True)
    assert transitions.check_silence(change.conversation, policy, draft(3, "system"), late) is None
    end = transitions.check_silence(change.conversation, policy, draft(3, "system"), late + timedelta(minutes=10))
    assert end is not None
    assert event_types(end) == ["conversation.closed"]
    assert end.events[0].data["reason"] == "silence"


def test_only_the_message_right_after_a_question_agrees_to_a_call() -> None:
    pending = PendingCall("c" * 32, 1, NOW, "cancel", "Cancel", "{}", 0, NOW + timedelta(minutes=10))
    asked = transitions.add_ai_message(
        with_visitor_message(open_conversation()),
        draft(2, "ai", reply_to=1),
        0,
        NOW,
        knew_answer=True,
        pending_call=pending,
    )
    assert asked is not None

    def answer(conversation: Conversation, content: str = "yes") -> PendingCall | None:
        message = draft(9, content=content)
        change = transitions.add_visitor_message(conversation, message, NOW, TIMEOUT, needs_human=False)
        return change.conversation.pending_call

    agreed = answer(asked.conversation)
    assert agreed is not None
    assert agreed.confirmed_by == 3
    assert answer(asked.conversation, "tak") is None, "Danish for thanks"
    # As a replica of the version before leaves it, which does not know the question.
    assert answer(replace(asked.conversation, last_seq=4)) is None
    taken = transitions.accept(asked.conversation, ALEX, NOW, TIMEOUT).conversation
    assert taken.pending_call is None
