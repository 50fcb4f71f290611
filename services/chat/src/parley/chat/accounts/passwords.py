"""Passwords, as Argon2id hashes: made and checked in threads, so many at a time and no more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from parley.common.errors import Unavailable

_AT_ONCE = 2
"""Hashes under way in one process: each takes a core and 19 MiB."""
_WAITING = 64


class Passwords:
    """Hashes and checks. A place must be taken first: what is waiting has a bound, beyond it callers hear 503."""

    def __init__(self) -> None:
        # OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys = self._hasher.hash("the password of nobody")

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A turn at hashing. What is looked up inside is as fresh as the check itself. Raises Unavailable."""
        if self._waiting >= _WAITING:
            raise Unavailable("Too many people are logging in at this moment. Please try again.")
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()

    async def hash(self, password: str) -> str:
        """The hash to keep. Takes a place of its own."""
        async with self.place():
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def fits(self, kept: str | None, password: str) -> bool:
        """Whether a password is the one whose hash was kept; call it inside a place.

        Takes the same time where nothing was kept, so that nobody learns which accounts there are.
        """
        loop = asyncio.get_running_loop()
        right = await loop.run_in_executor(self._threads, self._verify, kept or self._nobodys, password)
        return right and kept is not None

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False
