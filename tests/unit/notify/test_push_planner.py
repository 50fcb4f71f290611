"""The planner when the broker comes back with a new log, and when events come faster than they are planned."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from parley.common.events import Actor, Event
from parley.common.runtime.clock import utc_now
from parley.notify.push.model import INITIAL_POSITION, ChatOperator, Cursor, SitePushOptions
from parley.notify.push.planner import MAX_QUEUED_ACTIONS, PushPlanner
from parley.notify.push.triggers import PushTrigger
from parley.notify.streaming.positions import RecordFingerprint


class Database:
    """The cursor, deliveries and tokens; fails while it is away."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.away = False
        self.added: list[str] = []
        self.blocked: asyncio.Event | None = None

    def _check(self) -> None:
        if self.away:
            raise ConnectionError

    async def advance(self, partition: int, holder: str, position: int, fingerprint: RecordFingerprint | None) -> None:
        self._check()
        self.position = max(self.position, position)

    async def reset(self, partition: int) -> None:
        self._check()
        self.position = INITIAL_POSITION

    async def add(self, trigger: PushTrigger, operator_id: int, due: Any) -> None:
        if self.blocked is not None:
            await self.blocked.wait()
        self._check()
        self.added.append(trigger.event_id)

    async def cancel(self, *_: Any) -> None: ...

    async def filter_with_tokens(self, operator_ids: Iterable[int]) -> set[int]:
        self._check()
        return set(operator_ids)


class Site:
    async def get(self, site_id: int, /) -> Mapping[int, ChatOperator]:
        return {7: ChatOperator(7, "en")}


class Options:
    async def get(self, site_id: int, /) -> SitePushOptions:
        return SitePushOptions()


def make_planner(database: Database) -> PushPlanner:
    parts: Any = database
    planner = PushPlanner(
        3,
        "me",
        parts,
        parts,
        parts,
        Site(),
        Options(),
        utc_now,
        read_to=lambda: None,
        delay=timedelta(0),
        max_age=timedelta(hours=1),
    )
    planner.observe(Cursor(database.position, None, utc_now() - timedelta(hours=1), "me"), math.inf)
    return planner


def waiting(event_id: str) -> Event:
    conversation = {"mode": "pending", "operator": None, "visitor": {"name": "Jane"}, "last_seq": 1}
    return Event(
        id=event_id,
        type="conversation.pending",
        tenant_id=1,
        site_id=2,
        conversation_id=3,
        occurred_at=utc_now(),
        actor=Actor(kind="visitor"),
        request_id="r",
        traceparent="t",
        data={"conversation": conversation},
    )


async def test_a_reset_that_fails_is_tried_again_before_anything_is_planned() -> None:
    """Otherwise the new log's events are below the old cursor, and cause no push."""
    database = Database(position=500)
    planner = make_planner(database)
    database.away = True
    await planner.on_log_replaced()
    resume = await planner.resume_point()
    assert resume is not None
    assert resume.position == INITIAL_POSITION
    planner.on_event(waiting("new"), 3)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await planner.run()
    database.away = False
    await planner.run()
    assert database.added == ["new"]
    assert database.position == 3


@pytest.mark.parametrize("fails", [True, False])
async def test_a_batch_of_the_old_log_does_not_move_the_cursor_of_the_new_one(fails: bool) -> None:
    database = Database(position=500)
    planner = make_planner(database)
    database.blocked = asyncio.Event()
    planner.on_event(waiting("old"), 501)
    run = asyncio.create_task(planner.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await planner.on_log_replaced()
    database.away = fails
    database.blocked.set()
    await asyncio.gather(run, return_exceptions=True)
    database.away = False
    planner.on_event(waiting("new"), 3)
    await planner.run()
    assert database.position == 3
    assert database.added[-1] == "new"


async def test_the_queue_is_bounded_also_by_events_with_many_actions() -> None:
    """The erasure of a visitor is one event that cancels the pushes of all their conversations."""
    database = Database(position=0)
    planner = make_planner(database)
    for position, event_id in enumerate(("first", "second", "third")):
        planner.on_event(waiting(event_id), position)
    conversation_ids = list(range(1000, 1000 + MAX_QUEUED_ACTIONS - 1))
    erased = waiting("erased").model_copy(
        update={"type": "visitor.erased", "conversation_id": None, "data": {"conversation_ids": conversation_ids}}
    )
    planner.on_event(erased, 3)
    planner.on_event(erased, 4)
    await planner.run()
    assert database.added == []
