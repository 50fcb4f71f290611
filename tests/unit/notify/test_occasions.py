"""Occasions: which events call whom, and which make a call unnecessary."""

from __future__ import annotations

from typing import Any

import pytest

from parley.common.events import Actor, Event
from parley.common.runtime.clock import utc_now
from parley.notify.push.triggers import EVERYONE, Occasion, Settled, called_by, steps_of

ALEX = {"id": 7, "name": "Alex"}


def event(kind: str, **data: Any) -> Event:
    conversation = {
        "mode": data.get("mode", "operator"),
        "operator": data.get("operator", ALEX),
        "visitor": {"name": data.pop("name", "Jane")},
        "last_seq": 4,
        "last_message": {"preview": "the last"},
    }
    return Event(
        id="e1",
        type=kind,
        tenant_id=1,
        site_id=2,
        conversation_id=3,
        occurred_at=utc_now(),
        actor=data.pop("actor", Actor(kind="visitor")),
        request_id="r",
        traceparent="t",
        data={"conversation": conversation, **data},
    )


def message(role: str = "visitor", content: str = "Hello", **data: Any) -> Event:
    return event("message.created", role=role, content=content, seq=5, **data)


@pytest.mark.parametrize(
    ("told", "called"),
    [
        (message(), 7),
        (message(mode="pending", operator=None), EVERYONE),
        (message(mode="ai", operator=None), None),
        (message(mode="operator", operator=None), None),
        (message(role="operator"), None),
        (message(role="ai"), None),
        (message(role="system"), None),
        (event("conversation.pending"), EVERYONE),
        (event("conversation.transferred", operator=ALEX), 7),
        (event("conversation.accepted", operator=ALEX), None),
        (event("note.created"), None),
        (event("typing"), None),
    ],
)
def test_only_what_needs_a_person_calls_one(told: Event, called: int | None) -> None:
    assert called_by(told) == called


def test_a_message_carries_what_the_lock_screen_shows() -> None:
    (step,) = steps_of(message(content="  Hello\n\n there\x07 \u202e"), 9)
    assert isinstance(step, Occasion)
    assert (step.position, step.kind, step.seq, step.name, step.text) == (9, "message", 5, "Jane", "Hello there")


def test_a_long_text_is_cut() -> None:
    (step,) = steps_of(message(content="x" * 5000, name="y" * 500), 9)
    assert isinstance(step, Occasion)
    assert len(step.text) == 200
    assert len(step.name) == 80


def test_a_transfer_settles_what_was_before_and_calls_the_new_holder() -> None:
    settled, called = steps_of(event("conversation.transferred", operator=ALEX), 9)
    assert settled == Settled(9, 3)
    assert isinstance(called, Occasion)
    assert (called.operator_id, called.kind, called.text, called.seq) == (7, "transferred", "the last", 4)


@pytest.mark.parametrize("kind", ["conversation.accepted", "conversation.released", "conversation.closed"])
def test_who_takes_or_ends_a_conversation_settles_it(kind: str) -> None:
    assert steps_of(event(kind), 9) == (Settled(9, 3),)


def test_an_operators_reading_settles_theirs_up_to_there_and_a_visitors_nothing() -> None:
    assert steps_of(event("message.read", reader="operator", seq=4, by=ALEX), 9) == (Settled(9, 3, 7, 4),)
    assert steps_of(event("message.read", reader="operator", seq=4, by=None), 9) == (Settled(9, 3, EVERYONE, 4),)
    assert steps_of(event("message.read", reader="visitor", seq=4, by=None), 9) == ()


def test_who_caused_it_is_known() -> None:
    (step,) = steps_of(event("conversation.pending", actor=Actor(kind="operator", id=7)), 9)
    assert isinstance(step, Occasion)
    assert step.by == 7
