"""Time as the domain sees it: aware, UTC, in whole milliseconds, and given to constructors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Now, cut to the milliseconds that MongoDB keeps and the contract shows."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def to_rfc3339(moment: datetime) -> str:
    """`2026-01-31T09:05:00.123Z`: RFC 3339, UTC, milliseconds, as the contract says."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
