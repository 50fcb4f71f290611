"""Checks every 30 seconds whether images can be stored. While they cannot, chat reports itself as degraded."""

from __future__ import annotations

from parley.chat.timeouts import STORAGE_CHECK_INTERVAL_SECONDS
from parley.chat.uploads.ports import ImageStorage
from parley.common.runtime.tasks import PeriodicTask


class StorageCheck:
    """A component of the service."""

    name = "storage"

    def __init__(self, storage: ImageStorage) -> None:
        self._storage = storage
        self._unwritable_reason: str | None = None
        self._timer = PeriodicTask(STORAGE_CHECK_INTERVAL_SECONDS, self._check, self.name)

    async def start(self) -> None:
        await self._timer.start()

    async def stop(self) -> None:
        await self._timer.stop()

    def unready_reason(self) -> str | None:
        return self._unwritable_reason

    async def _check(self) -> None:
        self._unwritable_reason = await self._storage.get_unwritable_reason()
