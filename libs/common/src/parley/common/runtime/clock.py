"""Time in the domain: aware UTC datetimes in whole milliseconds, from a clock that constructors receive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time, truncated to the milliseconds that MongoDB stores and the API shows."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@lru_cache(1024)  # An event, its response and its document contain the same few moments.
def to_rfc3339(moment: datetime) -> str:
    """Format an aware datetime in UTC with milliseconds: `2026-01-31T09:05:00.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
