"""Throttling of failed logins, by account and by client address.

After a number of failures each further failure doubles the delay before the next attempt; after more failures every
attempt is blocked for BLOCK_DURATION. Accounts that do not exist are counted in the same way. The limits of an
address are higher, because many people may share one.

Failures of strangers share one count per account. A device or an address from which the operator has logged in before
has a count of its own, so that a stranger who guesses cannot lock the operator out.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from parley.chat.accounts.errors import LoginBlocked, LoginDelayed
from parley.chat.timeouts import MAX_LOGIN_DELAY_SECONDS
from parley.common.runtime.clock import Clock, to_rfc3339

BLOCK_DURATION = timedelta(minutes=15)
"""How long logins are blocked. Failures older than this no longer count."""
KNOWN_ORIGIN_LIFETIME = timedelta(days=90)
"""How long a device or an address is known after its last login."""


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
        return timedelta(seconds=min(MAX_LOGIN_DELAY_SECONDS, 2 ** (failures - self.delay_after + 1)))


ACCOUNT_POLICY = ThrottlePolicy(delay_after=5, block_after=10)
ADDRESS_POLICY = ThrottlePolicy(delay_after=50, block_after=100)


@dataclass(frozen=True, slots=True)
class FailureCount:
    """The recent failures of a key, and until when its attempts are refused."""

    count: int
    blocked_until: datetime


@dataclass(frozen=True, slots=True)
class LoginOrigin:
    """Where an attempt comes from. `device_token` is what an earlier login on this device returned."""

    client_ip: str
    device_token: str | None = None


class LoginFailureRepository(Protocol):
    async def find(self, key: str, now: datetime) -> FailureCount | None:
        """Return the failures within BLOCK_DURATION, or None."""

    async def increment(self, key: str, now: datetime, policy: ThrottlePolicy) -> int:
        """Count one more failure, atomically. Returns the count."""

    async def reset(self, key: str) -> None: ...

    async def count_unseen(self, key: str, until: datetime) -> None:
        """Count one more failure that the operator has not been told of."""

    async def take_unseen(self, key: str) -> int:
        """Return the count of `count_unseen`, and start at 0 again."""


class KnownOriginRepository(Protocol):
    """The devices and addresses from which an account has logged in; they expire."""

    async def find_known(self, keys: Sequence[str], now: datetime) -> frozenset[str]:
        """Return those of the keys that are remembered."""

    async def remember(self, account: str, keys: Sequence[str], until: datetime) -> None: ...

    async def forget(self, account: str) -> None:
        """Forget all of an account."""


@dataclass(frozen=True, slots=True)
class LoginThrottle:
    """Guards every verification of a password: call `check` before it and record its outcome."""

    failures: LoginFailureRepository
    known_origins: KnownOriginRepository
    clock: Clock

    async def check(self, email: str, origin: LoginOrigin) -> None:
        """Raises LoginDelayed or LoginBlocked, with the seconds to wait."""
        now = self.clock()
        for key, policy in await self._keys(email, origin):
            failures = await self.failures.find(key, now)
            if failures is not None and failures.blocked_until > now:
                error = LoginBlocked if failures.count >= policy.block_after else LoginDelayed
                wait_seconds = int((failures.blocked_until - now).total_seconds()) + 1
                raise error(wait_seconds, blocked_until=to_rfc3339(failures.blocked_until))

    async def record_failure(self, email: str, origin: LoginOrigin) -> bool:
        """Count a wrong password for the account and for the address. Returns whether that begins a block."""
        now = self.clock()
        blocks = False
        keys = await self._keys(email, origin)
        for key, policy in keys:
            blocks |= await self.failures.increment(key, now, policy) == policy.block_after
        if keys[0][0] == account_key(email):
            await self.failures.count_unseen(f"unseen:{account_key(email)}", now + KNOWN_ORIGIN_LIFETIME)
        return blocks

    async def record_success(self, email: str, origin: LoginOrigin) -> int:
        """Reset the failures of an account. Returns how many strangers' attempts failed since the last success.

        Those of the address stay: logging in to an account of one's own must not lift the limit on guessing others.
        """
        account, _ = (await self._keys(email, origin))[0]
        await self.failures.reset(account)
        return await self.failures.take_unseen(f"unseen:{account_key(email)}")

    async def remember(self, email: str, origin: LoginOrigin) -> str:
        """Make a device and its address known, for KNOWN_ORIGIN_LIFETIME since. Returns the device's token."""
        token = origin.device_token or secrets.token_urlsafe(32)
        keys = _origin_keys(email, LoginOrigin(origin.client_ip, token))
        await self.known_origins.remember(account_key(email), keys, self.clock() + KNOWN_ORIGIN_LIFETIME)
        return token

    async def remember_address(self, email: str, client_ip: str) -> None:
        """Make an address known to which a device that is logged in has moved."""
        keys = _origin_keys(email, LoginOrigin(client_ip))
        await self.known_origins.remember(account_key(email), keys, self.clock() + KNOWN_ORIGIN_LIFETIME)

    async def forget(self, email: str) -> None:
        """Forget all devices and addresses: somebody else may have known the password."""
        await self.known_origins.forget(account_key(email))

    async def _keys(self, email: str, origin: LoginOrigin) -> list[tuple[str, ThrottlePolicy]]:
        """Return the counts that an attempt is subject to; the first is that of the account."""
        candidates = _origin_keys(email, origin)
        known = await self.known_origins.find_known(candidates, self.clock())
        account = next((key for key in candidates if key in known), account_key(email))
        address = f"address:{_network(origin.client_ip)}"
        return [(account, ACCOUNT_POLICY), *([(address, ADDRESS_POLICY)] if origin.client_ip else [])]


def _origin_keys(email: str, origin: LoginOrigin) -> list[str]:
    """Return the keys of an account's device and address, the more exact one first."""
    account = account_key(email)
    keys = [f"{account}:device:{_digest(origin.device_token)}"] if origin.device_token else []
    return [*keys, f"{account}:address:{_digest(_network(origin.client_ip))}"] if origin.client_ip else keys


def _network(client_ip: str) -> str:
    """Return the address, or the /64 network of an IPv6 address: one host can use all addresses of its network."""
    try:
        address = ipaddress.ip_address(client_ip)
    except ValueError:
        return client_ip
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else client_ip


def account_key(email: str) -> str:
    return f"account:{_digest(email)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
