"""Throttling of failed logins, by account and by client address.

After a number of failures each further failure doubles the delay before the next attempt; after more failures every
attempt is blocked for BLOCK_DURATION. Accounts that do not exist are counted in the same way. The limits of an
address are higher, because many people may share one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from parley.chat.accounts.errors import LoginBlocked, LoginDelayed
from parley.common.runtime.clock import Clock, to_rfc3339

BLOCK_DURATION = timedelta(minutes=15)
"""How long logins are blocked. Failures older than this no longer count."""
_MAX_DELAY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ThrottlePolicy:
    """The number of failures from which attempts are delayed, and from which they are blocked."""

    delay_after: int
    block_after: int

    def delay(self, failures: int) -> timedelta:
        """Return the delay after a number of failures: 2, 4, 8 … seconds up to 60, then BLOCK_DURATION."""
        if failures >= self.block_after:
            return BLOCK_DURATION
        if failures < self.delay_after:
            return timedelta(0)
        return timedelta(seconds=min(_MAX_DELAY_SECONDS, 2 ** (failures - self.delay_after + 1)))


ACCOUNT_POLICY = ThrottlePolicy(delay_after=5, block_after=10)
ADDRESS_POLICY = ThrottlePolicy(delay_after=50, block_after=100)


@dataclass(frozen=True, slots=True)
class FailureCount:
    """The recent failures of a key, and until when its attempts are refused."""

    count: int
    blocked_until: datetime


class LoginFailureRepository(Protocol):
    async def find(self, key: str, now: datetime) -> FailureCount | None:
        """Return the failures within BLOCK_DURATION, or None."""

    async def increment(self, key: str, now: datetime, policy: ThrottlePolicy) -> None:
        """Count one more failure, atomically."""

    async def reset(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class LoginThrottle:
    """Guards every verification of a password: call `check` before it and record its outcome."""

    failures: LoginFailureRepository
    clock: Clock

    async def check(self, email: str, client_ip: str) -> None:
        """Raises LoginDelayed or LoginBlocked, with the seconds to wait."""
        now = self.clock()
        for key, policy in _keys(email, client_ip):
            failures = await self.failures.find(key, now)
            if failures is not None and failures.blocked_until > now:
                error = LoginBlocked if failures.count >= policy.block_after else LoginDelayed
                wait_seconds = int((failures.blocked_until - now).total_seconds()) + 1
                raise error(wait_seconds, blocked_until=to_rfc3339(failures.blocked_until))

    async def record_failure(self, email: str, client_ip: str) -> None:
        """Count a wrong password for the account and for the address."""
        for key, policy in _keys(email, client_ip):
            await self.failures.increment(key, self.clock(), policy)

    async def record_success(self, email: str) -> None:
        """Reset the failures of an account.

        Those of the address stay: logging in to an account of one's own must not lift the limit on guessing others.
        """
        await self.failures.reset(_account_key(email))


def _keys(email: str, client_ip: str) -> list[tuple[str, ThrottlePolicy]]:
    keys = [(_account_key(email), ACCOUNT_POLICY)]
    return [*keys, (f"address:{client_ip}", ADDRESS_POLICY)] if client_ip else keys


def _account_key(email: str) -> str:
    return f"account:{hashlib.sha256(email.encode()).hexdigest()}"
