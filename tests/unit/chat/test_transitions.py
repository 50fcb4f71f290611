"""What may happen to a conversation, and what comes of it: no sockets, no clock, no database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from parley.chat.conversations import transitions
from parley.chat.conversations.errors import ConversationClosed, HeldByAnother, NotHeld
from parley.chat.conversations.model import RECENT_IDS, Change, Conversation, Draft, Visitor
from parley.common.errors import Invalid
from parley.common.events.schemas import Person, Role

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
TIMEOUT = timedelta(minutes=5)
ALEX, SAM = Person(id=1, name="Alex"), Person(id=2, name="Sam")
VISITOR = Visitor(tenant_id=7, site_id=3, session="sess_x", version=1)


def opened() -> Conversation:
    return transitions.open_by_visitor(VISITOR, 50, None, "ai", NOW).conversation


def draft(number: int, role: Role = "visitor", **more: object) -> Draft:
    return replace(Draft(number, role, f"text {number}"), **more)  # type: ignore[arg-type]


def heard(conversation: Conversation, number: int = 1) -> Conversation:
    return transitions.visitor_says(conversation, draft(number), NOW, TIMEOUT, to_person=False).conversation


def types(change: Change) -> list[str]:
    return [event.type for event in change.events]


def test_messages_are_numbered_from_one_without_gaps() -> None:
    conversation = opened()
    for number in range(1, 6):
        conversation = heard(conversation, number)
        assert conversation.last_seq == number


def test_a_visitors_message_to_the_ai_is_owed_an_answer() -> None:
    conversation = heard(opened())
    assert conversation.answer_due is not None
    assert conversation.answer_due.seq == 1


def test_a_visitor_who_is_not_for_the_ai_is_put_into_the_queue() -> None:
    change = transitions.visitor_says(opened(), draft(1), NOW, TIMEOUT, to_person=True)
    assert types(change) == ["message.created", "conversation.pending"]
    assert change.conversation.answer_due is None
    assert change.conversation.waiting_since == NOW


def test_where_nobody_can_come_they_are_told_so_behind_what_they_said() -> None:
    notice = draft(2, "system")
    change = transitions.visitor_says(opened(), draft(1), NOW, TIMEOUT, to_person=True, notice=notice)
    assert types(change) == ["message.created", "conversation.pending", "message.created"]
    assert [(message.seq, message.role) for message in change.messages] == [(1, "visitor"), (2, "system")]
    again = transitions.visitor_says(change.conversation, draft(3), LATER, TIMEOUT, to_person=True, notice=notice)
    assert types(again) == ["message.created"], "who waits already is not told again"


def test_accepting_ends_the_ais_turn() -> None:
    before = heard(opened())
    change = transitions.accept(before, ALEX, NOW, TIMEOUT)
    assert change.conversation.mode == "operator"
    assert change.conversation.generation == before.generation + 1
    assert change.conversation.answer_due is None
    late = transitions.ai_says(change.conversation, draft(2, "ai"), before.generation, LATER, knew=True)
    assert late is None


def test_the_ai_speaks_only_under_the_generation_it_began_under() -> None:
    conversation = heard(opened())
    change = transitions.ai_says(conversation, draft(2, "ai", reply_to=1), conversation.generation, NOW, knew=True)
    assert change is not None
    assert change.conversation.answer_due is None
    stale = transitions.ai_says(conversation, draft(2, "ai"), conversation.generation - 1, NOW, knew=True)
    assert stale is None


def test_an_answer_to_an_older_message_leaves_the_newer_one_owed() -> None:
    conversation = heard(heard(opened(), 1), 2)
    change = transitions.ai_says(conversation, draft(3, "ai", reply_to=1), conversation.generation, NOW, knew=True)
    assert change is not None
    assert change.conversation.answer_due is not None
    assert change.conversation.answer_due.seq == 2


def test_the_second_to_accept_is_told_who_holds_it() -> None:
    held = transitions.accept(heard(opened()), ALEX, NOW, TIMEOUT).conversation
    with pytest.raises(HeldByAnother) as refused:
        transitions.accept(held, SAM, NOW, TIMEOUT)
    assert refused.value.details["operator"] == {"id": 1, "name": "Alex"}


def test_accepting_what_one_holds_already_changes_nothing() -> None:
    held = transitions.accept(heard(opened()), ALEX, NOW, TIMEOUT).conversation
    again = transitions.accept(held, ALEX, LATER, TIMEOUT)
    assert again.conversation == held
    assert again.events == ()


def test_writing_in_a_conversation_that_nobody_holds_takes_it_over() -> None:
    change = transitions.operator_says(heard(opened()), draft(2, "operator", sender=ALEX), ALEX, NOW, TIMEOUT)
    assert types(change) == ["conversation.accepted", "message.created"]
    assert change.conversation.operator == ALEX


def test_writing_in_anothers_conversation_is_refused() -> None:
    held = transitions.accept(opened(), ALEX, NOW, TIMEOUT).conversation
    with pytest.raises(HeldByAnother):
        transitions.operator_says(held, draft(2, "operator"), SAM, NOW, TIMEOUT)


def test_closed_conversation_cannot_be_accepted() -> None:
    closed = transitions.close(opened(), ALEX, NOW, overrule=False).conversation
    with pytest.raises(ConversationClosed):
        transitions.accept(closed, ALEX, NOW, TIMEOUT)


def test_only_a_manager_closes_what_another_holds() -> None:
    held = transitions.accept(opened(), ALEX, NOW, TIMEOUT).conversation
    with pytest.raises(HeldByAnother):
        transitions.close(held, SAM, NOW, overrule=False)
    assert transitions.close(held, SAM, NOW, overrule=True).conversation.mode == "closed"


def test_what_the_ai_holds_cannot_be_released() -> None:
    with pytest.raises(NotHeld):
        transitions.release(opened(), ALEX, NOW, overrule=False)


def test_waiting_begins_when_a_person_is_asked_for_and_ends_with_their_word() -> None:
    asked = transitions.hand_off(heard(opened()), "asked", NOW).conversation
    assert asked.waiting_since == NOW
    taken = transitions.accept(asked, ALEX, LATER, TIMEOUT).conversation
    assert taken.waiting_since == NOW
    answered = transitions.operator_says(taken, draft(2, "operator"), ALEX, LATER, TIMEOUT).conversation
    assert answered.waiting_since is None
    assert answered.due_at is None


def test_asking_twice_for_a_person_changes_nothing() -> None:
    asked = transitions.hand_off(opened(), "asked", NOW).conversation
    assert transitions.hand_off(asked, "asked", LATER).events == ()


def test_the_first_unanswered_message_starts_the_holders_time() -> None:
    held = transitions.accept(opened(), ALEX, NOW, TIMEOUT).conversation
    assert held.due_at is None
    waiting = transitions.visitor_says(held, draft(1), NOW, TIMEOUT, to_person=False).conversation
    again = transitions.visitor_says(waiting, draft(2), LATER, TIMEOUT, to_person=False).conversation
    assert waiting.due_at == again.due_at == NOW + TIMEOUT


def test_a_silent_holder_loses_the_conversation_once() -> None:
    held = transitions.accept(heard(opened()), ALEX, NOW, TIMEOUT).conversation
    assert transitions.silence(held, "ai", NOW + TIMEOUT - timedelta(seconds=1)) is None
    change = transitions.silence(held, "ai", NOW + TIMEOUT)
    assert change is not None
    assert types(change) == ["conversation.released"]
    assert change.conversation.answer_due is not None, "the visitor still waits for a word"
    assert transitions.silence(change.conversation, "ai", NOW + TIMEOUT) is None


def test_a_silent_holder_may_also_lose_it_to_the_queue() -> None:
    held = transitions.accept(heard(opened()), ALEX, NOW, TIMEOUT).conversation
    change = transitions.silence(held, "pending", NOW + TIMEOUT)
    assert change is not None
    assert types(change) == ["conversation.pending"]


def test_reading_takes_exactly_what_was_read_off_the_unread() -> None:
    conversation = heard(heard(heard(opened(), 1), 2), 3)
    assert conversation.view().unread == 3
    read = transitions.operator_reads(conversation, 2, ALEX, NOW).conversation
    assert read.view().unread == 1
    assert transitions.operator_reads(read, 1, ALEX, NOW).events == (), "reading goes forward only"
    with pytest.raises(Invalid):
        transitions.operator_reads(conversation, 4, ALEX, NOW)


def test_each_operator_has_a_read_mark_of_their_own() -> None:
    conversation = heard(heard(heard(opened(), 1), 2), 3)
    both = transitions.operator_reads(transitions.operator_reads(conversation, 3, ALEX, NOW).conversation, 2, SAM, NOW)
    assert {person.name: seq for person, seq in both.conversation.reads} == {"Alex": 3, "Sam": 2}
    assert types(both) == ["message.read"]
    assert both.conversation.operator_read_seq == 3
    assert both.conversation.view().unread == 0


def test_blocking_for_operators_gives_the_conversation_back_to_the_ai() -> None:
    held = transitions.accept(opened(), ALEX, NOW, TIMEOUT).conversation
    blocked = replace(VISITOR, blocked="operator", version=2)
    change = transitions.know_visitor(held, blocked, ALEX, NOW)
    assert types(change) == ["conversation.released", "visitor.blocked"]
    assert change.conversation.mode == "ai"


def test_older_knowledge_of_a_visitor_does_not_undo_newer() -> None:
    conversation = replace(opened(), visitor=replace(VISITOR, name="Jane", version=3))
    change = transitions.know_visitor(conversation, replace(VISITOR, name="John", version=2), None, NOW)
    assert change.events == ()
    assert change.conversation.visitor.name == "Jane"


def test_only_so_many_senders_ids_are_kept_in_the_conversation() -> None:
    conversation = opened()
    for number in range(1, RECENT_IDS + 3):
        said = draft(number, message_id=f"m{number}")
        conversation = transitions.visitor_says(conversation, said, NOW, TIMEOUT, to_person=False).conversation
    assert len(conversation.recent_ids) == RECENT_IDS
    assert conversation.seq_of("m1") is None
    assert conversation.seq_of(f"m{RECENT_IDS + 2}") == RECENT_IDS + 2
    assert conversation.seq_of(None) is None


def test_an_answer_whose_replica_died_is_taken_over_only_after_its_time() -> None:
    owed = heard(opened())
    assert transitions.renew_claim(owed, NOW) is None
    taken = transitions.renew_claim(owed, NOW + transitions.LEASE)
    assert taken is not None
    assert transitions.renew_claim(taken.conversation, NOW + transitions.LEASE) is None
