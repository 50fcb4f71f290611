"""Reading the event log in tests: all its partitions, as no service does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from aio_pika.abc import AbstractConnection

from parley.common.log_partitions import DEFAULT_PARTITIONS
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
        async with asyncio.TaskGroup() as tasks:
            for consumer in self._consumers:
                tasks.create_task(consumer.run(connection), name=consumer.name)
