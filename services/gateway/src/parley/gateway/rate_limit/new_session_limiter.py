"""A limit on the visitors' sessions that an address may begin, besides the limits on requests."""

from __future__ import annotations

from collections.abc import Callable

from cachetools import LRUCache

from parley.gateway.rate_limit.limiter import RateLimiter
from parley.gateway.rate_limit.limits import NEW_SESSIONS, RateLimitScope

_MAX_KNOWN_SESSIONS = 100_000


class NewSessionLimiter:
    """Remembers the sessions that the gateways have let in. Only others count for their address, once each."""

    def __init__(self, limiter: RateLimiter, max_known: int = _MAX_KNOWN_SESSIONS) -> None:
        self._limiter = limiter
        self._known: LRUCache[str, None] = LRUCache(max_known)
        self.on_admitted: Callable[[str], None] = lambda _session_handle: None
        """Called with each new session that was let in, for the other gateways."""

    def admit(self, address: str, session_handle: str) -> None:
        """Let a session in. Raises TooManyRequests for a new one if its address has begun too many."""
        if session_handle not in self._known:
            self._limiter.acquire(RateLimitScope.ADDRESS, NEW_SESSIONS, address)
            self.on_admitted(session_handle)
        self._known[session_handle] = None

    def add_known(self, session_handle: str) -> None:
        """Let a session in that another gateway has counted."""
        self._known[session_handle] = None
