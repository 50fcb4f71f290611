"""Creates the first owner that the settings name, in the background of the service's start."""

from __future__ import annotations

import asyncio
from functools import partial

from parley.chat.accounts.service import AccountService
from parley.chat.settings import ChatSettings
from parley.chat.timeouts import FIRST_OWNER_RETRY_DELAY_SECONDS
from parley.common.mongodb import Mongo
from parley.common.observability.logging import get_logger
from parley.common.runtime.tasks import cancel_and_wait, keep_running

log = get_logger(__name__)


class FirstOwnerTask:
    """Waits for the database schema, then retries until the owner exists. The service is not ready before."""

    def __init__(self, mongo: Mongo, accounts: AccountService, settings: ChatSettings) -> None:
        self._mongo = mongo
        self._accounts = accounts
        self._settings = settings
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task if the settings name an owner."""
        if self._settings.owner_email and self._settings.owner_password:
            password = self._settings.owner_password.get_secret_value()
            self._task = keep_running(partial(self._create, self._settings.owner_email, password), "first-owner")

    async def stop(self) -> None:
        if self._task is not None:
            await cancel_and_wait(self._task)

    def unready_reason(self) -> str | None:
        """Return why the service is not ready, or None."""
        pending = self._task is not None and not self._task.done()
        return "the first owner is not created yet" if pending else None

    async def _create(self, email: str, password: str) -> None:
        await self._mongo.schema_ready.wait()
        while True:
            try:
                return await self._accounts.ensure_first_owner("Parley", email, password, email.partition("@")[0])
            except Exception as exc:
                log.warning("first_owner_not_created", error=repr(exc)[:300])
            await asyncio.sleep(FIRST_OWNER_RETRY_DELAY_SECONDS)
