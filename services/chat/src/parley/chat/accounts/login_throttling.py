"""Throttling of failed logins, by account and by client IP.

After a number of failures each further failure doubles the delay before the next attempt; after more failures every
attempt is blocked for BLOCK_DURATION. Accounts that do not exist are counted in the same way. The limits of a
client IP are higher, because many people may share one.

Attempts from unknown devices and client IPs share one count per account. A device or a client IP from which the
operator has logged in before has a count of its own: an attacker who guesses cannot lock the operator out.

An e-mail address may have accounts of several tenants. Each has counts of its own: a login to one account adds no
attempts at another.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from parley.chat.accounts.errors import LoginBlocked, LoginDelayed
from parley.chat.timeouts import MAX_LOGIN_DELAY_SECONDS
from parley.common.runtime.clock import Clock, to_rfc3339

BLOCK_DURATION = timedelta(minutes=15)
"""How long logins are blocked. Failures older than this no longer count."""
KNOWN_ORIGIN_LIFETIME = timedelta(days=90)
"""How long a device or a client IP is known after its last login."""


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
CLIENT_IP_POLICY = ThrottlePolicy(delay_after=50, block_after=100)


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
        """Count one more failure that the operator has not seen yet."""

    async def take_unseen(self, key: str) -> int:
        """Return the count of `count_unseen`, and start at 0 again."""


class KnownOriginRepository(Protocol):
    """The devices and client IPs from which an account has logged in; they expire."""

    async def find_known(self, keys: Sequence[str], now: datetime) -> frozenset[str]:
        """Return those of the keys that are remembered."""

    async def add(self, account: str, keys: Sequence[str], until: datetime) -> None: ...

    async def delete_all(self, account: str) -> None:
        """Delete all of an account."""


@dataclass(frozen=True, slots=True)
class LoginThrottle:
    """Guards every verification of a password: call `admit` before it and record its outcome.

    An attempt tries one or more accounts, given by their names, with one password.
    """

    failures: LoginFailureRepository
    known_origins: KnownOriginRepository
    clock: Clock

    async def admit(self, accounts: Sequence[str], origin: LoginOrigin) -> list[str]:
        """Return those of the accounts that may be tried now.

        Raises LoginDelayed or LoginBlocked, with the seconds to wait, if there are none.
        """
        now = self.clock()
        refusals: list[LoginDelayed | LoginBlocked] = []
        if origin.client_ip and (refusal := await self._find_refusal(_client_ip_key(origin), CLIENT_IP_POLICY, now)):
            raise refusal
        admitted = []
        for account, key in (await self._count_keys(accounts, origin)).items():
            refusal = await self._find_refusal(key, ACCOUNT_POLICY, now)
            if refusal is None:
                admitted.append(account)
            else:
                refusals.append(refusal)
        if not admitted:
            raise min(refusals, key=lambda refusal: refusal.retry_after)
        return admitted

    async def filter_known(self, accounts: Sequence[str], origin: LoginOrigin) -> frozenset[str]:
        """Return those of the accounts that have been logged in to from this device or client IP."""
        keys = await self._count_keys(accounts, origin)
        return frozenset(account for account, key in keys.items() if key != account_key(account))

    async def record_failure(self, accounts: Sequence[str], origin: LoginOrigin) -> frozenset[str]:
        """Count a wrong password for the accounts and the client IP. Returns the accounts whose block that begins."""
        now = self.clock()
        if origin.client_ip:
            await self.failures.increment(_client_ip_key(origin), now, CLIENT_IP_POLICY)
        blocked = set()
        for account, key in (await self._count_keys(accounts, origin)).items():
            if await self.failures.increment(key, now, ACCOUNT_POLICY) == ACCOUNT_POLICY.block_after:
                blocked.add(account)
            if key == account_key(account):
                await self.failures.count_unseen(f"unseen:{key}", now + KNOWN_ORIGIN_LIFETIME)
        return frozenset(blocked)

    async def count_guess(self, accounts: Collection[str]) -> None:
        """Count a password that was right for another account of the same e-mail address as a wrong one.

        Otherwise somebody with an account of their own could try passwords by giving it one after the other.
        """
        for account in accounts:
            await self.failures.increment(account_key(account), self.clock(), ACCOUNT_POLICY)

    async def record_success(self, account: str, origin: LoginOrigin) -> int:
        """Reset the failures of an account. Returns how many attempts from unknown devices failed since then.

        Those of the client IP stay: logging in to an account of one's own must not lift the limit on guessing others.
        """
        await self.failures.reset((await self._count_keys([account], origin))[account])
        return await self.failures.take_unseen(f"unseen:{account_key(account)}")

    async def remember(self, account: str, origin: LoginOrigin) -> str:
        """Make a device and its client IP known, for KNOWN_ORIGIN_LIFETIME since. Returns the device's token."""
        token = origin.device_token or secrets.token_urlsafe(32)
        keys = _origin_keys(account, LoginOrigin(origin.client_ip, token))
        await self.known_origins.add(account_key(account), keys, self.clock() + KNOWN_ORIGIN_LIFETIME)
        return token

    async def remember_client_ip(self, account: str, client_ip: str) -> None:
        """Make a client IP known to which a device that is logged in has moved."""
        keys = _origin_keys(account, LoginOrigin(client_ip))
        await self.known_origins.add(account_key(account), keys, self.clock() + KNOWN_ORIGIN_LIFETIME)

    async def delete_known_origins(self, account: str) -> None:
        """Delete all devices and client IPs: somebody else may have known the password."""
        await self.known_origins.delete_all(account_key(account))

    async def _count_keys(self, accounts: Sequence[str], origin: LoginOrigin) -> Mapping[str, str]:
        """Return the key of the count for an attempt at each account: that of unknown devices, or the device's own."""
        candidates = {account: _origin_keys(account, origin) for account in accounts}
        every = [key for keys in candidates.values() for key in keys]
        known = await self.known_origins.find_known(every, self.clock())
        return {
            account: next((key for key in keys if key in known), account_key(account))
            for account, keys in candidates.items()
        }

    async def _find_refusal(
        self, key: str, policy: ThrottlePolicy, now: datetime
    ) -> LoginDelayed | LoginBlocked | None:
        failures = await self.failures.find(key, now)
        if failures is None or failures.blocked_until <= now:
            return None
        error = LoginBlocked if failures.count >= policy.block_after else LoginDelayed
        wait_seconds = int((failures.blocked_until - now).total_seconds()) + 1
        return error(wait_seconds, blocked_until=to_rfc3339(failures.blocked_until))


def _client_ip_key(origin: LoginOrigin) -> str:
    return f"address:{_network(origin.client_ip)}"


def _origin_keys(account: str, origin: LoginOrigin) -> list[str]:
    """Return the keys of an account's device and client IP, the more exact one first."""
    key = account_key(account)
    keys = [f"{key}:device:{_digest(origin.device_token)}"] if origin.device_token else []
    return [*keys, f"{key}:address:{_digest(_network(origin.client_ip))}"] if origin.client_ip else keys


def _network(client_ip: str) -> str:
    """Return the address, or the /64 network of an IPv6 address: one host can use all addresses of its network."""
    try:
        address = ipaddress.ip_address(client_ip)
    except ValueError:
        return client_ip
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else client_ip


def account_key(account: str) -> str:
    """Return the key of an account's count of unknown devices, with which the keys of its known ones begin."""
    return f"account:{_digest(account)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
