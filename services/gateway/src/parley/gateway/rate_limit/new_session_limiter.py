"""A limit on the visitors' sessions that an address may begin, besides the limits on requests."""

from __future__ import annotations

from cachetools import LRUCache

from parley.gateway.rate_limit.limiter import RateLimiter
from parley.gateway.rate_limit.limits import NEW_SESSIONS, RateLimitScope

_MAX_KNOWN_SESSIONS = 100_000


class NewSessionLimiter:
    """Remembers the sessions that this replica has served. Only others count for their address, once each."""

    def __init__(self, limiter: RateLimiter, max_known: int = _MAX_KNOWN_SESSIONS) -> None:
        self._limiter = limiter
        self._known: LRUCache[str, None] = LRUCache(max_known)

    def admit(self, address: str, session_handle: str) -> None:
        """Let a session in. Raises TooManyRequests for a new one if its address has begun too many."""
        if session_handle not in self._known:
            self._limiter.acquire(RateLimitScope.ADDRESS, NEW_SESSIONS, address)
        self._known[session_handle] = None
