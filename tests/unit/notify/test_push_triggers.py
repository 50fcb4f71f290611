"""Push triggers: which events cause a push, for whom, and which make pending pushes unnecessary."""

from __future__ import annotations

from typing import Any

import pytest

from parley.common.events import Actor, Event
from parley.common.runtime.clock import utc_now
from parley.notify.push.triggers import ALL_OPERATORS, PushCancellation, PushTrigger, push_recipient, to_push_actions

ALEX = {"id": 7, "name": "Alex"}


def make_event(event_type: str, **data: Any) -> Event:
    conversation = {
        "mode": data.get("mode", "operator"),
        "operator": data.get("operator", ALEX),
        "visitor": {"name": data.pop("name", "Jane")},
        "last_seq": 4,
        "last_message": data.pop("last_message", {"role": "visitor", "preview": "the last"}),
        "last_visitor_message": data.pop("last_visitor_message", None),
    }
    return Event(
        id="e1",
        type=event_type,
        tenant_id=1,
        site_id=2,
        conversation_id=3,
        occurred_at=utc_now(),
        actor=data.pop("actor", Actor(kind="visitor")),
        request_id="r",
        traceparent="t",
        data={"conversation": conversation, **data},
    )


def make_message(role: str = "visitor", content: str = "Hello", **data: Any) -> Event:
    return make_event("message.created", role=role, content=content, seq=5, **data)


@pytest.mark.parametrize(
    ("event", "recipient"),
    [
        (make_message(), 7),
        (make_message(mode="pending", operator=None), ALL_OPERATORS),
        (make_message(mode="ai", operator=None), None),
        (make_message(mode="operator", operator=None), None),
        (make_message(role="operator"), None),
        (make_message(role="ai"), None),
        (make_message(role="system"), None),
        (make_event("conversation.pending"), ALL_OPERATORS),
        (make_event("conversation.transferred", operator=ALEX), 7),
        (make_event("conversation.accepted", operator=ALEX), None),
        (make_event("note.created"), None),
        (make_event("typing"), None),
    ],
)
def test_only_events_that_need_an_operator_cause_a_push(event: Event, recipient: int | None) -> None:
    assert push_recipient(event) == recipient


def test_a_trigger_has_the_visitors_name_and_one_printable_line_of_text() -> None:
    (trigger,) = to_push_actions(make_message(content="  Hello\n\n there\x07 \u202e"), 9)
    assert isinstance(trigger, PushTrigger)
    assert (trigger.position, trigger.kind, trigger.seq) == (9, "message", 5)
    assert (trigger.visitor_name, trigger.text) == ("Jane", "Hello there")


@pytest.mark.parametrize("event_type", ["conversation.pending", "conversation.transferred"])
@pytest.mark.parametrize("role", ["ai", "operator", "system"])
def test_a_push_shows_what_the_visitor_wrote_last(event_type: str, role: str) -> None:
    """Not the sentence with which the AI or an operator handed them over."""
    handed_over = {"role": role, "preview": "I have asked our team to join."}
    words = {"role": "visitor", "preview": "A person, please"}
    event = make_event(event_type, operator=ALEX, last_message=handed_over, last_visitor_message=words)
    trigger = to_push_actions(event, 9)[-1]
    assert isinstance(trigger, PushTrigger)
    assert trigger.text == "A person, please"


def test_a_visitor_who_has_written_nothing_has_no_words() -> None:
    greeting = {"role": "operator", "preview": "Can I help you?"}
    trigger = to_push_actions(make_event("conversation.pending", last_message=greeting), 9)[-1]
    assert isinstance(trigger, PushTrigger)
    assert not trigger.text


def test_a_long_text_and_a_long_name_are_truncated() -> None:
    (trigger,) = to_push_actions(make_message(content="x" * 5000, name="y" * 500), 9)
    assert isinstance(trigger, PushTrigger)
    assert len(trigger.text) == 200
    assert len(trigger.visitor_name) == 80


def test_a_transfer_cancels_earlier_pushes_and_notifies_the_new_operator() -> None:
    cancellation, trigger = to_push_actions(make_event("conversation.transferred", operator=ALEX), 9)
    assert cancellation == PushCancellation(9, 3)
    assert isinstance(trigger, PushTrigger)
    assert (trigger.operator_id, trigger.kind, trigger.text, trigger.seq) == (7, "transferred", "the last", 4)


@pytest.mark.parametrize("event_type", ["conversation.accepted", "conversation.released", "conversation.closed"])
def test_accepting_releasing_and_closing_cancel_pending_pushes(event_type: str) -> None:
    assert to_push_actions(make_event(event_type), 9) == (PushCancellation(9, 3),)


def test_an_operators_read_receipt_cancels_their_pushes_up_to_its_seq() -> None:
    read_by_alex = make_event("message.read", reader="operator", seq=4, by=ALEX)
    assert to_push_actions(read_by_alex, 9) == (PushCancellation(9, 3, 7, 4),)
    read_by_unknown = make_event("message.read", reader="operator", seq=4, by=None)
    assert to_push_actions(read_by_unknown, 9) == (PushCancellation(9, 3, ALL_OPERATORS, 4),)


def test_a_visitors_read_receipt_cancels_nothing() -> None:
    assert to_push_actions(make_event("message.read", reader="visitor", seq=4, by=None), 9) == ()


def test_a_trigger_names_the_operator_who_caused_it() -> None:
    (trigger,) = to_push_actions(make_event("conversation.pending", actor=Actor(kind="operator", id=7)), 9)
    assert isinstance(trigger, PushTrigger)
    assert trigger.caused_by == 7
