"""When a site's team is there: its weekly hours in its own time zone, and the dates on which it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
_LOOK_AHEAD_DAYS = 400
"""More than a year, so that a year of closed dates still ends in an answer."""


@dataclass(frozen=True, slots=True)
class Span:
    """From one minute of a weekday (0 is Monday) to another, which is not in it; 1440 is the midnight at its end."""

    day: int
    start: int
    end: int


_WHOLE_DAYS = tuple(Span(day, 0, DAY_MINUTES) for day in range(7))


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether the team is there at a moment, and if not, when it is again (aware, in the site's zone) if known."""

    open: bool
    opens_at: datetime | None = None


ALWAYS_OPEN = Opening(open=True)


@dataclass(frozen=True, slots=True)
class Hours:
    """Working hours. Without any spans every day is a working day, all of it; `closed` dates are none."""

    time_zone: str
    weekly: tuple[Span, ...] = ()
    closed: tuple[date, ...] = ()

    def at(self, moment: datetime) -> Opening:
        """Open or closed at an aware moment."""
        zone = ZoneInfo(self.time_zone)
        today = moment.astimezone(zone).date()
        # From yesterday on: where clocks change at midnight, a day's last span may end within the next date.
        for start, end in self._spans_from(today - timedelta(days=1), zone):
            if moment < end:
                return ALWAYS_OPEN if start <= moment else Opening(open=False, opens_at=start.astimezone(zone))
        return Opening(open=False)

    def _spans_from(self, first: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        """Start and end (UTC) of every span in order, from a date on."""
        closed = frozenset(self.closed)
        weekly = sorted(self.weekly or _WHOLE_DAYS, key=lambda span: (span.day, span.start))
        for ahead in range(_LOOK_AHEAD_DAYS):
            day = first + timedelta(days=ahead)
            if day not in closed:
                for span in weekly:
                    if span.day == day.weekday():
                        yield _moments(day, span.start, zone)[0], max(_moments(day, span.end, zone))


def _moments(day: date, minute: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When clocks show a minute of a day, in UTC, for the first and the last time: twice where they are put back.

    Who is there «until three» is there until the second three.
    """
    after = day + timedelta(days=minute // DAY_MINUTES)
    wall = datetime(after.year, after.month, after.day, minute % DAY_MINUTES // 60, minute % 60, tzinfo=zone)
    return wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
