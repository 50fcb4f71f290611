"""Password hashing with Argon2id, in a pool of threads of limited size.

Accounts that share an e-mail address share a salt, so that a login computes one hash however many accounts the address
has: the time that it takes does not disclose whether there are others.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError
from argon2.low_level import hash_secret

from parley.common.errors import Unavailable

MEMORY_KIB = 19_456
"""Memory of one hash."""
MAX_CONCURRENCY = 2
"""Hashes computed at the same time per process: each takes one core and 19 MiB."""
MAX_WAITING = 64


class Argon2PasswordHasher:
    """Implements the port PasswordHasher."""

    def __init__(self) -> None:
        # First choice of the OWASP password storage cheat sheet: 19 MiB, two iterations, one lane.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1)
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

    async def hash(self, password: str, same_salt_as: str | None = None) -> str:
        """Hash a password, in a slot of its own; with the salt of another hash if one is given. Raises Unavailable."""
        salt = None if same_salt_as is None else _salt(same_salt_as)
        async with self.slot():
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, lambda: self._hasher.hash(password, salt=salt))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Check a password against a hash; call it within a slot."""
        return (await self.verify_each([password_hash], password))[0]

    async def verify_each(self, password_hashes: Sequence[str | None], password: str) -> list[bool]:
        """Check a password against several hashes; call it within a slot.

        Computes a hash also where there is none, so that the time taken does not reveal which accounts exist.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._verify_each, password_hashes, password)

    def close(self) -> None:
        """Shut the threads down without waiting for them."""
        self._threads.shutdown(wait=False)

    def _verify_each(self, password_hashes: Sequence[str | None], password: str) -> list[bool]:
        # By all of a hash but its result: the parameters and the salt.
        computed: dict[str, bytes] = {}
        for password_hash in [one for one in password_hashes if one is not None] or [self._dummy_hash]:
            parameters = password_hash.rpartition("$")[0]
            if parameters not in computed:
                computed[parameters] = _compute(password_hash, password)
        return [
            one is not None and hmac.compare_digest(computed[one.rpartition("$")[0]], one.encode())
            for one in password_hashes
        ]


def _compute(password_hash: str, password: str) -> bytes:
    """Hash a password with the parameters and the salt of another hash; nothing that equals a hash if it is none."""
    try:
        parameters = extract_parameters(password_hash)
        salt = _salt(password_hash)
    except InvalidHashError:
        return b""
    return hash_secret(
        password.encode(),
        salt,
        parameters.time_cost,
        parameters.memory_cost,
        parameters.parallelism,
        parameters.hash_len,
        parameters.type,
        parameters.version,
    )


def _salt(password_hash: str) -> bytes:
    encoded = password_hash.split("$")[-2]
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4))
