"""How much of what one address, session, operator or site may ask for: token buckets in this replica's memory.

A bucket is kept as one number, the moment at which it would be full again (the generic cell rate algorithm, which
counts exactly like a token bucket). Each replica counts for itself, so N replicas let through up to N times as much.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from parley.common.errors import TooMany
from parley.gateway import metrics

_REMEMBERED = 100_000

RATES = ("read", "write", "login", "upload", "beat")
"""The rate classes, as the route table names them (`parley.common.http.Rate`)."""


class Scope(StrEnum):
    """Whose requests are counted together."""

    ADDRESS = "address"
    SESSION = "session"
    OPERATOR = "operator"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many a second in the long run, and so many at once."""

    per_second: float
    burst: int


DEFAULTS: dict[Scope, dict[str, Limit]] = {
    Scope.ADDRESS: {
        "read": Limit(100, 400),
        "write": Limit(50, 200),
        "login": Limit(1 / 6, 20),
        "upload": Limit(1, 20),
        "beat": Limit(100, 400),
    },
    Scope.SESSION: {
        "read": Limit(10, 60),
        "write": Limit(5, 50),
        "upload": Limit(0.2, 10),
        "beat": Limit(2, 30),
    },
    Scope.OPERATOR: {
        "read": Limit(50, 200),
        "write": Limit(20, 100),
        "login": Limit(1 / 6, 10),
        "upload": Limit(0.5, 20),
        "beat": Limit(10, 60),
    },
    Scope.SITE: {
        "read": Limit(500, 2000),
        "write": Limit(100, 500),
        "upload": Limit(5, 50),
        "beat": Limit(2000, 5000),
    },
}


def read_limits(text: str) -> dict[str, Limit]:
    """`read=100/400,login=0.2/20` as limits; `off` is none at all. Raises ValueError."""
    if text.strip().lower() == "off":
        return {}
    found: dict[str, Limit] = {}
    for part in text.replace(" ", "").split(","):
        name, _, numbers = part.partition("=")
        if name not in RATES:
            raise ValueError(f"{part!r}: the classes are {', '.join(RATES)}")
        per_second, _, burst = numbers.partition("/")
        try:
            limit = Limit(float(per_second), int(burst))
            found[name] = limit
        except ValueError as exc:
            raise ValueError(f"{part!r} is not like read=100/400") from exc
        if not (0 < limit.per_second < math.inf and limit.burst >= 1):
            raise ValueError(f"{part!r}: both numbers must be positive")
    return found


class Limits:
    """All buckets of this replica. The least recently used are forgotten when there are too many."""

    def __init__(
        self,
        limits: Mapping[Scope, Mapping[str, Limit]],
        now: Callable[[], float] = time.monotonic,
        remembered: int = _REMEMBERED,
    ) -> None:
        self._limits = limits
        self._now = now
        self._remembered = remembered
        self._full_at: OrderedDict[tuple[Scope, str, str], float] = OrderedDict()

    def take(self, scope: Scope, rate: str, who: str) -> None:
        """Count one request. Raises TooMany, and then it is not counted."""
        limit = self._limits[scope].get(rate)
        if limit is None:
            return
        key = (scope, rate, who)
        now = self._now()
        full_at = max(now, self._full_at.get(key, now)) + 1 / limit.per_second
        over = full_at - now - limit.burst / limit.per_second
        if over > 1e-9:
            metrics.RATE_LIMITED.labels(scope, rate).inc()
            raise TooMany(math.ceil(over))
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._remembered:
            self._full_at.popitem(last=False)
