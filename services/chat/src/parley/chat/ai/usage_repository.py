"""Replies and tokens of today, in MongoDB: counters per site, client IP, session and conversation, and day (UTC).

The most that a request may cost is reserved before it is made, in one conditional write per counter, so replies that
start at the same moment cannot pass a limit together. Afterwards the reservation is replaced by the real cost.

An endpoint may report more than the most that was estimated: models that reason, or that ignore the maximum length. The
excess is counted, and the site's next reservations are that many times higher.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Literal, NamedTuple

from pymongo.errors import DuplicateKeyError

from parley.chat.ai.metering import Cap, CapReached, Limits, Reservation, Spender, SpentToday
from parley.common.mongodb import Document, Index, Mongo
from parley.common.runtime.clock import Clock

_COLLECTION = "spending"
_RETENTION = timedelta(days=40)
_SHARE_RETENTION = timedelta(days=2)
_FACTOR_RETENTION = timedelta(days=7)
"""Without requests that cost more than was estimated."""
_FACTOR_DECAY = 0.9
"""With each text that costs less: a report that was an exception is forgotten after some."""
_MAX_FACTOR = 10.0
"""A wrong report must not prevent all requests of the days after it."""
_IPV6_PREFIX = 64
"""Bits of an IPv6 address that belong to one customer."""
_TOKEN_CAPS: Mapping[str, Cap] = {"session": "session_tokens", "address": "address_tokens"}

INDEXES = [Index(_COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0})]


class _Counter(NamedTuple):
    key: str
    of: Literal["site", "address", "session", "conversation"]
    token_limit: int
    """0 for none."""
    reply_limit: int | None
    retention: timedelta = _SHARE_RETENTION


class MongoTokenBudget:
    """A TokenBudget. The first request of a day is always possible, also if it may cost more tokens than the limit."""

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

    async def reserve(self, spender: Spender, limits: Limits, tokens: int, replies: int = 0) -> Reservation:
        taken: list[str] = []
        counters = list(self._counters(spender, limits))
        reserved = tokens
        if tokens and any(counter.token_limit for counter in counters):
            reserved = math.ceil(tokens * await self._find_factor(spender.site_id))
        for counter in counters:
            cap = await self._take(counter, reserved, replies)
            if cap is not None:
                await self._add(taken, -reserved, -replies)
                raise CapReached(cap)
            taken.append(counter.key)
        return Reservation(tuple(taken), reserved, replies, tokens, spender.site_id)

    async def charge(self, reservation: Reservation, tokens: int) -> None:
        await self._add(reservation.keys, tokens, 0)

    async def settle(self, reservation: Reservation, tokens: int, replies: int = 0) -> None:
        await self._add(reservation.keys, tokens - reservation.tokens, replies - reservation.replies)
        await self._learn(reservation, tokens)

    async def read(self, site_id: int, limits: Limits) -> SpentToday:
        counter = next(self._counters(Spender(site_id), limits))
        used = await self._mongo[_COLLECTION].find_one({"_id": counter.key}) or {}
        return SpentToday(
            self._clock().date(), used.get("tokens", 0), used.get("replies", 0), counter.token_limit or None
        )

    def _counters(self, spender: Spender, limits: Limits) -> Iterator[_Counter]:
        """The counters of a text, with their limits; those that are most likely reached first."""
        caps, day = limits.caps, f"{spender.site_id}:{self._clock():%Y-%m-%d}"
        tokens = min((limit for limit in (self._daily_tokens, limits.tokens) if limit), default=0)
        session_tokens, address_tokens = int(tokens * self._session_share), int(tokens * self._address_share)
        if spender.conversation_id is not None:
            yield _Counter(f"{day}:c:{spender.conversation_id}", "conversation", 0, caps.conversation)
        if spender.session:
            yield _Counter(f"{day}:s:{spender.session}", "session", session_tokens, caps.session)
        if spender.client_ip:
            yield _Counter(f"{day}:a:{_hash_network(spender.client_ip)}", "address", address_tokens, caps.address)
        yield _Counter(day, "site", tokens, caps.site, _RETENTION)

    async def _take(self, counter: _Counter, tokens: int, replies: int) -> Cap | None:
        """Add to a counter. What it allows no more, if it does not."""
        within: Document = {}
        if counter.token_limit and tokens:
            within["tokens"] = {"$not": {"$gt": max(0, counter.token_limit - tokens)}}
        if counter.reply_limit is not None and replies:
            # Counters of the version before have no replies.
            within["replies"] = {"$not": {"$gt": counter.reply_limit - replies}}
        increment = {"tokens": tokens, "replies": replies}
        try:
            await self._mongo[_COLLECTION].update_one(
                {"_id": counter.key, **within},
                {"$inc": increment, "$setOnInsert": {"expires_at": self._clock() + counter.retention}},
                upsert=True,
            )
        except DuplicateKeyError:
            # The counter exists and is above the limit; or another request has just created it: then look again.
            taken = await self._mongo[_COLLECTION].find_one_and_update(
                {"_id": counter.key, **within}, {"$inc": increment}
            )
            return None if taken is not None else await self._find_cap(counter, replies)
        return None

    async def _find_factor(self, site_id: int) -> float:
        learned = await self._mongo[_COLLECTION].find_one({"_id": _factor_key(site_id)}) or {}
        return float(learned.get("factor", 1.0))

    async def _learn(self, reservation: Reservation, tokens: int) -> None:
        """Raise the factor of the site's reservations to what this one would have needed, or lower it a little."""
        estimate = reservation.estimate
        if not estimate or (tokens <= estimate and reservation.tokens <= estimate):
            return
        lowered = {"$multiply": [{"$ifNull": ["$factor", 1.0]}, _FACTOR_DECAY]}
        change: Document = {"factor": {"$min": [_MAX_FACTOR, {"$max": [1.0, tokens / estimate, lowered]}]}}
        if tokens > estimate:
            change["expires_at"] = self._clock() + _FACTOR_RETENTION
        await self._mongo[_COLLECTION].update_one(
            {"_id": _factor_key(reservation.site_id)}, [{"$set": change}], upsert=tokens > estimate
        )

    async def _find_cap(self, counter: _Counter, replies: int) -> Cap:
        used = await self._mongo[_COLLECTION].find_one({"_id": counter.key}) or {}
        if replies and counter.reply_limit is not None and used.get("replies", 0) + replies > counter.reply_limit:
            return counter.of
        return _TOKEN_CAPS.get(counter.of, "site_tokens")

    async def _add(self, keys: tuple[str, ...] | list[str], tokens: int, replies: int) -> None:
        if keys and (tokens or replies):
            await self._mongo[_COLLECTION].update_many(
                {"_id": {"$in": list(keys)}}, {"$inc": {"tokens": tokens, "replies": replies}}
            )


def _factor_key(site_id: int) -> str:
    return f"{site_id}:factor"


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
