"""Password hashing with Argon2id, in a pool of threads of limited size."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from parley.common.errors import Unavailable

MAX_CONCURRENCY = 2
"""Hashes computed at the same time per process: each takes one core and 19 MiB."""
MAX_WAITING = 64


class Argon2PasswordHasher:
    """Implements the port PasswordHasher."""

    def __init__(self) -> None:
        # First choice of the OWASP password storage cheat sheet: 19 MiB, two iterations, one lane.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._slots = asyncio.Semaphore(MAX_CONCURRENCY)
        self._threads = ThreadPoolExecutor(MAX_CONCURRENCY, thread_name_prefix="argon2")
        self._waiting = 0
        self._dummy_hash = self._hasher.hash("no account has this password")

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for one of the slots and hold it. Raises Unavailable if MAX_WAITING callers wait already.

        What is read within the slot is as recent as the verification itself.
        """
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many people are logging in right now. Please try again.")
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()

    async def hash(self, password: str) -> str:
        """Hash a password, in a slot of its own. Raises Unavailable."""
        async with self.slot():
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Check a password against a hash; call it within a slot.

        Verifies against a dummy hash where there is none, so that the time taken does not reveal which accounts exist.
        """
        loop = asyncio.get_running_loop()
        matches = await loop.run_in_executor(self._threads, self._verify, password_hash or self._dummy_hash, password)
        return matches and password_hash is not None

    def close(self) -> None:
        """Shut the threads down without waiting for them."""
        self._threads.shutdown(wait=False)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
