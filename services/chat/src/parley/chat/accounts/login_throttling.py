"""Wrong passwords, counted: by the account they were meant for and by the address they came from.

After some failures each further one makes the next try wait longer, after some more nothing is tried for a while.
Accounts that do not exist are counted just so. Addresses have more patience: a whole office may stand behind one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from parley.common.errors import TooMany
from parley.common.runtime.clock import Clock, rfc3339

BLOCK = timedelta(minutes=15)
"""For which logging in is blocked; failures as old as this are forgotten."""


class LoginSlowed(TooMany):
    code = "login_slowed"
    sentence = "Too many failed attempts. Please wait a little before the next."


class LoginBlocked(TooMany):
    code = "login_blocked"
    sentence = "Too many failed attempts. Logging in is blocked for a while."


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures before each further one slows, and before they block."""

    slow: int
    block: int

    def pause(self, failures: int) -> timedelta:
        """How long the next try must wait after so many failures: 2, 4, 8 … seconds, then the block."""
        if failures >= self.block:
            return BLOCK
        if failures < self.slow:
            return timedelta(0)
        return timedelta(seconds=min(60, 2 ** (failures - self.slow + 1)))


FOR_ACCOUNT = Patience(slow=5, block=10)
FOR_ADDRESS = Patience(slow=50, block=100)


@dataclass(frozen=True, slots=True)
class Failures:
    """What is known of a key: how many, and until when nothing is tried."""

    count: int
    blocked_until: datetime


class FailureStore(Protocol):
    """Where failures are counted."""

    async def find(self, key: str, now: datetime) -> Failures | None:
        """None where there were none lately."""

    async def add(self, key: str, now: datetime, patience: Patience) -> None:
        """Count one more, atomically."""

    async def forget(self, key: str) -> None:
        """Begin again."""


@dataclass(frozen=True, slots=True)
class LoginGuard:
    """Stands before every check of a password."""

    store: FailureStore
    clock: Clock

    async def check(self, email: str, address: str) -> None:
        """Raises LoginSlowed, LoginBlocked."""
        now = self.clock()
        for key, patience in _keys(email, address):
            found = await self.store.find(key, now)
            if found is not None and found.blocked_until > now:
                kind = LoginBlocked if found.count >= patience.block else LoginSlowed
                wait = int((found.blocked_until - now).total_seconds()) + 1
                raise kind(wait, blocked_until=rfc3339(found.blocked_until))

    async def failed(self, email: str, address: str) -> None:
        """Count a wrong password."""
        for key, patience in _keys(email, address):
            await self.store.add(key, self.clock(), patience)

    async def succeeded(self, email: str) -> None:
        """Forget an account's failures. The address's stay: an account of one's own is no way round the limit."""
        await self.store.forget(_account(email))


def _keys(email: str, address: str) -> list[tuple[str, Patience]]:
    keys = [(_account(email), FOR_ACCOUNT)]
    return [*keys, (f"address:{address}", FOR_ADDRESS)] if address else keys


def _account(email: str) -> str:
    return f"account:{hashlib.sha256(email.encode()).hexdigest()}"
