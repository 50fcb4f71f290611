"""Tokens that AI replies have used today, in MongoDB: counters per site, session and client IP, and day (UTC).

The most that a reply may cost is reserved before the engine is called, in one conditional write per counter, so replies
that start at the same moment cannot pass a limit together. Afterwards the reservation is replaced by the real cost.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator
from datetime import timedelta

from pymongo.errors import DuplicateKeyError

from parley.chat.ai.ports import Reservation, Spender
from parley.common.mongodb import Index, Mongo
from parley.common.runtime.clock import Clock

_COLLECTION = "spending"
_RETENTION = timedelta(days=40)
_SHARE_RETENTION = timedelta(days=2)
_IPV6_PREFIX = 64
"""Bits of an IPv6 address that belong to one customer."""

INDEXES = [Index(_COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0})]


class MongoTokenBudget:
    """A TokenBudget. The first reply of a day is always possible, also if it may cost more than the limit."""

    def __init__(
        self,
        mongo: Mongo,
        clock: Clock,
        daily_tokens: int,
        *,
        session_share: float = 1.0,
        address_share: float = 1.0,
    ) -> None:
        """`daily_tokens` is the installation's limit per site, 0 for none; one session or client IP may use a share."""
        self._mongo = mongo
        self._clock = clock
        self._daily_tokens = daily_tokens
        self._session_share = session_share
        self._address_share = address_share

    async def reserve(self, spender: Spender, daily_limit: int | None, tokens: int) -> Reservation | None:
        site_key = f"{spender.site_id}:{self._clock():%Y-%m-%d}"
        limit = min((limit for limit in (self._daily_tokens, daily_limit) if limit), default=0)
        taken: list[str] = []
        if tokens:
            for key, key_limit in self._limits(spender, site_key, limit):
                if not await self._take(key, key_limit, tokens, _RETENTION if key == site_key else _SHARE_RETENTION):
                    await self._add(taken, -tokens)
                    return None
                taken.append(key)
        return Reservation(tuple(taken), tokens)

    async def settle(self, reservation: Reservation, used_tokens: int) -> None:
        await self._add(reservation.keys, used_tokens - reservation.tokens)

    def _limits(self, spender: Spender, site_key: str, limit: int) -> Iterator[tuple[str, int]]:
        """The counters of a reply, with their limits; those that are most likely reached first."""
        if limit:
            if spender.session:
                yield f"{site_key}:s:{spender.session}", int(limit * self._session_share)
            if spender.client_ip:
                yield f"{site_key}:a:{_hash_network(spender.client_ip)}", int(limit * self._address_share)
        yield site_key, limit

    async def _take(self, key: str, limit: int, tokens: int, retention: timedelta) -> bool:
        within_limit = {"tokens": {"$lte": max(0, limit - tokens)}} if limit else {}
        try:
            await self._mongo[_COLLECTION].update_one(
                {"_id": key, **within_limit},
                {"$inc": {"tokens": tokens}, "$setOnInsert": {"expires_at": self._clock() + retention}},
                upsert=True,
            )
        except DuplicateKeyError:
            # The counter exists and is above the limit; or another reply has just created it: then look again.
            counter = await self._mongo[_COLLECTION].find_one_and_update(
                {"_id": key, **within_limit}, {"$inc": {"tokens": tokens}}
            )
            return counter is not None
        return True

    async def _add(self, keys: tuple[str, ...] | list[str], tokens: int) -> None:
        if keys and tokens:
            await self._mongo[_COLLECTION].update_many({"_id": {"$in": list(keys)}}, {"$inc": {"tokens": tokens}})


def _hash_network(client_ip: str) -> str:
    """A client IP as it is counted: its hash, so that counters do not disclose who visited; IPv6 by network."""
    try:
        parsed = ipaddress.ip_address(client_ip)
    except ValueError:
        network = client_ip
    else:
        mapped = getattr(parsed, "ipv4_mapped", None)
        prefix = _IPV6_PREFIX if parsed.version == 6 and mapped is None else 32
        network = str(ipaddress.ip_network((mapped or parsed, prefix), strict=False))
    return hashlib.blake2b(network.encode(), digest_size=12).hexdigest()
