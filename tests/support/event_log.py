"""Reading the event log in tests: all its partitions, as no service does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from parley.common.log_partitions import DEFAULT_PARTITIONS
from parley.notify.streaming.log_consumer import LogConsumer, LogRecord
from parley.notify.streaming.positions import Partition


def whole_log_consumers(
    name: str, started_at: datetime, on_record: Callable[[LogRecord], Awaitable[None]]
) -> list[LogConsumer]:
    """Return channel sessions that read every partition from a time on. Each partition's records come in their order.

    At each connection they read from that time again.
    """
    return [
        LogConsumer(f"{name}-{number}", Partition(number, DEFAULT_PARTITIONS), lambda: started_at, on_record)
        for number in range(DEFAULT_PARTITIONS)
    ]
