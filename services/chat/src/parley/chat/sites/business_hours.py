"""Business hours of a site: weekly hours in its own time zone, and dates on which it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTES_PER_DAY = 24 * 60
_LOOKAHEAD_DAYS = 400
"""More than a year, so that opening hours are found even after a year of closed dates."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Part of a weekday (0 is Monday), in minutes since midnight. `end` is exclusive; 1440 is the next midnight."""

    day: int
    start: int
    end: int


_WHOLE_DAYS = tuple(TimeRange(day, 0, MINUTES_PER_DAY) for day in range(7))


@dataclass(frozen=True, slots=True)
class OpenStatus:
    """Whether a site is open, and if it is closed when it opens next (aware, in the site's zone), if that is known."""

    open: bool
    opens_at: datetime | None = None


ALWAYS_OPEN = OpenStatus(open=True)


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """Weekly hours without the `closed` dates. Without weekly hours, every other day is open all day."""

    time_zone: str
    weekly: tuple[TimeRange, ...] = ()
    closed: tuple[date, ...] = ()

    def status_at(self, moment: datetime) -> OpenStatus:
        """Return the status at a moment, which must be aware."""
        zone = ZoneInfo(self.time_zone)
        today = moment.astimezone(zone).date()
        # Begin yesterday: where clocks change at midnight, the last range of a day may end on the next date.
        for start, end in self._ranges_from(today - timedelta(days=1), zone):
            if moment < end:
                return ALWAYS_OPEN if start <= moment else OpenStatus(open=False, opens_at=start.astimezone(zone))
        return OpenStatus(open=False)

    def _ranges_from(self, first: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        """Yield start and end (UTC) of every range from a date on, in order."""
        closed = frozenset(self.closed)
        weekly = sorted(self.weekly or _WHOLE_DAYS, key=lambda time_range: (time_range.day, time_range.start))
        for offset in range(_LOOKAHEAD_DAYS):
            day = first + timedelta(days=offset)
            if day not in closed:
                for time_range in weekly:
                    if time_range.day == day.weekday():
                        start, _ = _to_utc(day, time_range.start, zone)
                        # "Until three" ends at the second three, where clocks show it twice.
                        yield start, max(_to_utc(day, time_range.end, zone))


def _to_utc(day: date, minute: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the two moments (UTC) at which local clocks show a minute of a day.

    They differ only where clocks are put back, so that the same time occurs twice.
    """
    local_day = day + timedelta(days=minute // MINUTES_PER_DAY)
    hour, minute = divmod(minute % MINUTES_PER_DAY, 60)
    local = datetime(local_day.year, local_day.month, local_day.day, hour, minute, tzinfo=zone)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
