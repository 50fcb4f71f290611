"""Visitor heartbeats on their way to the store: gathered, one a visitor, and none lost but by a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from parley.common.errors import Unavailable
from parley.presence.model import Beat, Place
from parley.presence.visitors.heartbeat_buffer import Beats
from support.wait import until

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


class Notebook:
    """A store of heartbeats in memory, which may be shut for a while."""

    def __init__(self) -> None:
        self.batches: list[list[Beat]] = []
        self.shut = False
        self.tries = 0

    async def beat(self, beats: Sequence[Beat]) -> None:
        self.tries += 1
        await asyncio.sleep(0)
        if self.shut:
            raise ConnectionError
        self.batches.append(list(beats))

    @property
    def pages(self) -> dict[str, str]:
        return {beat.session: beat.place.page for batch in self.batches for beat in batch}


def beat(session: str, page: str = "a", until: datetime = NOW + timedelta(seconds=75)) -> Beat:
    return Beat(1, 1, session, Place(page), NOW, until)


def beats_to(notebook: Notebook, *, seconds: float = 0.01, size: int = 100, waiting: int = 1000) -> Beats:
    return Beats(notebook, lambda: NOW, seconds=seconds, size=size, waiting=waiting)  # type: ignore[arg-type]


async def test_heartbeats_that_come_together_are_written_together_one_a_visitor() -> None:
    notebook = Notebook()
    beats = beats_to(notebook)
    await beats.start()
    for page in ("a", "b", "c"):
        for number in range(10):
            beats.take(beat(f"v{number}", page))
    await until(lambda: notebook.batches)
    await beats.stop()

    assert [len(batch) for batch in notebook.batches] == [10]
    assert set(notebook.pages.values()) == {"c"}


async def test_a_full_batch_does_not_wait() -> None:
    notebook = Notebook()
    beats = beats_to(notebook, seconds=60, size=5)
    await beats.start()
    for number in range(12):
        beats.take(beat(f"v{number}"))
    await until(lambda: len(notebook.pages) == 12)
    await beats.stop()

    assert [len(batch) for batch in notebook.batches] == [5, 5, 2]


async def test_an_orderly_stop_writes_what_waits() -> None:
    notebook = Notebook()
    beats = beats_to(notebook, seconds=60)
    await beats.start()
    beats.take(beat("v"))
    await asyncio.wait_for(beats.stop(), 2)

    assert notebook.pages == {"v": "a"}


async def test_while_the_store_is_shut_new_heartbeats_are_refused_and_taken_ones_kept() -> None:
    notebook = Notebook()
    notebook.shut = True
    beats = beats_to(notebook)
    await beats.start()
    beats.take(beat("v"))
    await until(lambda: beats.fault() is not None)
    with pytest.raises(Unavailable):
        beats.take(beat("w"))

    notebook.shut = False
    await until(lambda: beats.fault() is None)
    beats.take(beat("w"))
    await until(lambda: len(notebook.pages) == 2)
    await beats.stop()

    assert notebook.pages == {"v": "a", "w": "a"}


async def test_a_failed_batch_does_not_overwrite_what_came_meanwhile() -> None:
    notebook = Notebook()
    beats = beats_to(notebook, seconds=0)
    notebook.shut = True
    await beats.start()
    beats.take(beat("v", "old"))
    await until(lambda: notebook.tries == 1)
    beats._waiting[beat("v").key] = beat("v", "new")
    notebook.shut = False
    await until(lambda: notebook.batches)
    await beats.stop()

    assert notebook.pages == {"v": "new"}


async def test_heartbeats_whose_time_is_over_are_not_written() -> None:
    notebook = Notebook()
    beats = beats_to(notebook)
    await beats.start()
    beats.take(beat("late", until=NOW))
    beats.take(beat("v"))
    await until(lambda: notebook.batches)
    await beats.stop()

    assert notebook.pages == {"v": "a"}


async def test_no_more_visitors_may_wait_than_there_is_room_for() -> None:
    beats = beats_to(Notebook(), waiting=2)
    beats.take(beat("v"))
    beats.take(beat("w"))
    with pytest.raises(Unavailable):
        beats.take(beat("x"))
    beats.take(beat("v", "b"))
