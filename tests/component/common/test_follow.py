"""Following the log on the real RabbitMQ: one connection's life is enough, however much comes."""

from __future__ import annotations

import asyncio

import pytest

from parley.common.amqp import Bus, LogFollower, LogRecord
from parley.common.events import new_event
from parley.common.events.team import SiteChanged
from support.wait import until


@pytest.mark.parametrize("events", [100, 500, 1_230])
async def test_a_follower_is_never_begun_anew_by_what_it_acknowledges(amqp_url: str, events: int) -> None:
    bus, starts, seen = Bus(amqp_url), 0, list[int]()

    def start_at() -> int:
        nonlocal starts
        starts += 1
        return 0

    async def take(record: LogRecord) -> None:
        seen.append(record.position)

    bus.add(LogFollower("followed", start_at, take))
    await bus.start()
    try:
        await until(lambda: bus.fault() is None)
        documents = [new_event(SiteChanged(), tenant_id=1, site_id=1).to_document() for _ in range(events)]
        for _ in range(2):
            before = len(seen)
            for first in range(0, events, 50):
                await bus.publish(documents[first : first + 50])
            await until(lambda before=before: len(seen) >= before + events)  # type: ignore[misc]
            # What must not happen needs a while to happen in: two of the times after which the last are acknowledged.
            await asyncio.sleep(1.2)
        assert starts == 1
        assert seen == list(range(seen[0], seen[0] + len(seen))), "each once, in order"
    finally:
        await bus.stop()
