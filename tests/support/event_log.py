"""Reading the event log in tests: all its partitions, as no service does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from aio_pika.abc import AbstractConnection

from parley.common.log_partitions import DEFAULT_PARTITIONS
from parley.common.runtime.tasks import run_until_one_ends
from parley.notify.streaming.log_consumer import LogConsumer, LogRecord
from parley.notify.streaming.positions import Partition


class WholeLogConsumer:
    """A channel session that reads every partition from a time on. Each partition's records come in their order."""

    def __init__(self, name: str, started_at: datetime, on_record: Callable[[LogRecord], Awaitable[None]]) -> None:
        self.name = name
        self._consumers = [
            LogConsumer(f"{name}-{number}", Partition(number, DEFAULT_PARTITIONS), lambda: started_at, on_record)
            for number in range(DEFAULT_PARTITIONS)
        ]

    @property
    def running(self) -> bool:
        return all(consumer.running for consumer in self._consumers)

    async def run(self, connection: AbstractConnection) -> None:
        """Read until one partition ends, so that all of them start again together."""
        await run_until_one_ends(*(consumer.run(connection) for consumer in self._consumers))
