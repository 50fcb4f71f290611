"""Deletes the stream that was the whole event log in the version before the partitions.

That version's replicas follow it, and its publishers bind it to every event, so during an update, and after a rollback,
both logs have every event. The migration `end_single_log` runs when none of its replicas was seen for a minute, and
again after a rollback; while it is applied, no replica reads the stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aio_pika.abc import AbstractConnection

from parley.common.log_partitions import SINGLE_LOG
from parley.common.observability.logging import get_logger
from parley.notify.timeouts import SINGLE_LOG_CHECK_INTERVAL_SECONDS

log = get_logger(__name__)


class SingleLogRemoval:
    """A channel session that deletes the stream when `is_over`, again if an older publisher has declared it since."""

    name = "single-log-removal"

    def __init__(self, is_over: Callable[[], Awaitable[bool]]) -> None:
        self.running = False
        self._is_over = is_over

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=False)
        try:
            self.running = True
            while not channel.is_closed:
                if await self._check():
                    await channel.queue_delete(SINGLE_LOG)
                await asyncio.sleep(SINGLE_LOG_CHECK_INTERVAL_SECONDS)
        finally:
            self.running = False
            if not channel.is_closed:
                await channel.close()

    async def _check(self) -> bool:
        try:
            return await self._is_over()
        except Exception as exc:
            log.warning("single_log_not_checked", error=repr(exc)[:300])
            return False
