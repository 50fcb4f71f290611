"""The heartbeat buffer: one heartbeat per visitor, written in batches, none lost except by a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from parley.common.errors import Unavailable
from parley.presence.visitors.heartbeat_buffer import HeartbeatBuffer
from parley.presence.visitors.model import Heartbeat, PageInfo
from support.wait import wait_until

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


class FakeRepository:
    """Stores heartbeats in memory. Writes fail while `failing` is set."""

    def __init__(self) -> None:
        self.batches: list[list[Heartbeat]] = []
        self.failing = False
        self.attempts = 0

    async def save_heartbeats(self, heartbeats: Sequence[Heartbeat]) -> None:
        self.attempts += 1
        await asyncio.sleep(0)
        if self.failing:
            raise ConnectionError
        self.batches.append(list(heartbeats))

    @property
    def urls(self) -> dict[str, str | None]:
        return {heartbeat.session: heartbeat.page.url for batch in self.batches for heartbeat in batch}


def heartbeat(session: str, url: str = "a", expires_at: datetime = NOW + timedelta(seconds=75)) -> Heartbeat:
    return Heartbeat(1, 1, session, PageInfo(url), NOW, expires_at)


def create_buffer(
    repository: FakeRepository, *, flush_interval_seconds: float = 0.01, batch_size: int = 100, max_pending: int = 1000
) -> HeartbeatBuffer:
    return HeartbeatBuffer(
        repository,
        lambda: NOW,
        flush_interval_seconds=flush_interval_seconds,
        batch_size=batch_size,
        max_pending=max_pending,
    )


async def test_heartbeats_are_written_in_one_batch_with_one_per_visitor() -> None:
    repository = FakeRepository()
    buffer = create_buffer(repository)
    await buffer.start()
    for url in ("a", "b", "c"):
        for number in range(10):
            buffer.add(heartbeat(f"v{number}", url))
    await wait_until(lambda: repository.batches)
    await buffer.stop()

    assert [len(batch) for batch in repository.batches] == [10]
    assert set(repository.urls.values()) == {"c"}


async def test_full_batch_is_written_at_once() -> None:
    repository = FakeRepository()
    buffer = create_buffer(repository, flush_interval_seconds=60, batch_size=5)
    await buffer.start()
    for number in range(12):
        buffer.add(heartbeat(f"v{number}"))
    await wait_until(lambda: len(repository.urls) == 12)
    await buffer.stop()

    assert [len(batch) for batch in repository.batches] == [5, 5, 2]


async def test_stop_writes_pending_heartbeats() -> None:
    repository = FakeRepository()
    buffer = create_buffer(repository, flush_interval_seconds=60)
    await buffer.start()
    buffer.add(heartbeat("v"))
    await asyncio.wait_for(buffer.stop(), 2)

    assert repository.urls == {"v": "a"}


async def test_new_heartbeats_are_refused_while_writes_fail_and_pending_ones_are_kept() -> None:
    repository = FakeRepository()
    repository.failing = True
    buffer = create_buffer(repository)
    await buffer.start()
    buffer.add(heartbeat("v"))
    await wait_until(lambda: buffer.unready_reason() is not None)
    with pytest.raises(Unavailable):
        buffer.add(heartbeat("w"))

    repository.failing = False
    await wait_until(lambda: buffer.unready_reason() is None)
    buffer.add(heartbeat("w"))
    await wait_until(lambda: len(repository.urls) == 2)
    await buffer.stop()

    assert repository.urls == {"v": "a", "w": "a"}


async def test_failed_batch_does_not_overwrite_newer_heartbeats() -> None:
    repository = FakeRepository()
    buffer = create_buffer(repository, flush_interval_seconds=0)
    repository.failing = True
    await buffer.start()
    buffer.add(heartbeat("v", "old"))
    await wait_until(lambda: repository.attempts == 1)
    buffer._pending[heartbeat("v").visitor_key] = heartbeat("v", "new")
    repository.failing = False
    await wait_until(lambda: repository.batches)
    await buffer.stop()

    assert repository.urls == {"v": "new"}


async def test_expired_heartbeats_are_not_written() -> None:
    repository = FakeRepository()
    buffer = create_buffer(repository)
    await buffer.start()
    buffer.add(heartbeat("expired", expires_at=NOW))
    buffer.add(heartbeat("v"))
    await wait_until(lambda: repository.batches)
    await buffer.stop()

    assert repository.urls == {"v": "a"}


async def test_new_visitors_are_refused_when_the_buffer_is_full() -> None:
    buffer = create_buffer(FakeRepository(), max_pending=2)
    buffer.add(heartbeat("v"))
    buffer.add(heartbeat("w"))
    with pytest.raises(Unavailable):
        buffer.add(heartbeat("x"))
    buffer.add(heartbeat("v", "b"))
