"""The outbox while the broker is away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from structlog.testing import capture_logs

from parley.common.mongodb import DatabaseSchema, Document, Mongo, Outbox
from parley.common.runtime.clock import utc_now


class Publisher:
    """A broker that can be away."""

    is_away = True

    async def publish(self, documents: Sequence[Document]) -> None:
        if self.is_away:
            raise ConnectionError


async def test_a_broker_that_is_away_is_not_logged_for_each_change() -> None:
    """In five minutes there are thousands."""
    publisher = Publisher()
    outbox = Outbox(Mongo("mongodb://unused", "unused", DatabaseSchema([])), publisher, ["things"])
    await outbox.start()

    async def change(number: int) -> None:
        entry: dict[str, Any] = {"id": str(number), "at": utc_now(), "event": {"type": "thing.changed"}}
        outbox.enqueue("things", {"_id": number, "outbox": [entry]})
        await outbox.wait_published()

    with capture_logs() as logs:
        for number in range(20):
            await change(number)
        publisher.is_away = False
        await change(20)
        publisher.is_away = True
        await change(21)
    outbox_logs = [one["failures"] for one in logs if one["event"] == "outbox_left_to_the_sweep"]
    assert outbox_logs == [1, 10, 1]
    await outbox.stop()
