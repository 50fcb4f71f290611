"""Rate limits as configuration: what is counted, the default limits, and their text form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

NEW_SESSIONS = "session"
"""Counts the visitors' sessions of an address that this replica does not know yet, on whichever route they come."""
RATE_CLASSES = ("read", "write", "login", "upload", "beat", "search", "mail", NEW_SESSIONS)
"""The values of `parley.common.http.RateLimitClass`, which is not imported because it depends on aiohttp; and
`NEW_SESSIONS`."""


class RateLimitScope(StrEnum):
    """Whose requests are counted together."""

    ADDRESS = "address"
    SESSION = "session"
    OPERATOR = "operator"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A token bucket: `burst` tokens, refilled with `per_second`."""

    per_second: float
    burst: int


# One address may be an office: 300 widgets that open within a few seconds, and 25 logins at nine o'clock. The limits of
# an address stop floods without blocking many users behind one IP. chat throttles password guessing. Sessions cost
# nothing to make, and each has limits and a budget of its own: an address brings no more new ones than an office needs.
DEFAULT_LIMITS: dict[RateLimitScope, dict[str, RateLimit]] = {
    RateLimitScope.ADDRESS: {
        "read": RateLimit(200, 3000),
        "write": RateLimit(100, 1000),
        "login": RateLimit(1, 60),
        "upload": RateLimit(10, 300),
        "beat": RateLimit(200, 1000),
        "search": RateLimit(50, 300),
        "mail": RateLimit(1 / 60, 20),
        NEW_SESSIONS: RateLimit(1, 1000),
    },
    RateLimitScope.SESSION: {
        "read": RateLimit(10, 60),
        "write": RateLimit(5, 50),
        "upload": RateLimit(0.2, 10),
        "beat": RateLimit(2, 30),
        "mail": RateLimit(1 / 60, 5),
    },
    RateLimitScope.OPERATOR: {
        "read": RateLimit(50, 200),
        "write": RateLimit(20, 100),
        "login": RateLimit(1 / 6, 10),
        "upload": RateLimit(0.5, 20),
        "beat": RateLimit(10, 60),
        "search": RateLimit(10, 40),
        "mail": RateLimit(1 / 6, 20),
    },
    RateLimitScope.SITE: {
        "read": RateLimit(500, 5000),
        "write": RateLimit(200, 1000),
        "upload": RateLimit(20, 300),
        "beat": RateLimit(2000, 5000),
        "mail": RateLimit(1, 100),
    },
}


def parse_limits(text: str) -> dict[str, RateLimit]:
    """Parse `read=100/400,login=0.2/20` (class=per_second/burst); `off` means no limits. Raises ValueError."""
    if text.strip().lower() == "off":
        return {}
    limits: dict[str, RateLimit] = {}
    for part in text.replace(" ", "").split(","):
        name, _, numbers = part.partition("=")
        if name not in RATE_CLASSES:
            raise ValueError(f"{part!r}: the class must be one of {', '.join(RATE_CLASSES)}")
        per_second, _, burst = numbers.partition("/")
        try:
            limit = RateLimit(float(per_second), int(burst))
        except ValueError as exc:
            raise ValueError(f"{part!r} does not have the form read=100/400") from exc
        if not (0 < limit.per_second < math.inf and limit.burst >= 1):
            raise ValueError(f"{part!r}: both numbers must be positive")
        limits[name] = limit
    return limits
