"""The time zone of a report: where its days begin, and in which row a quarter of an hour counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from parley.chat.reports.model import GroupBy, Period
from parley.chat.reports.tables import QUARTERS_PER_DAY, quarter_of_day

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_QUARTER = timedelta(minutes=15)
_HOURS = 24


def previous_period(period: Period) -> Period:
    """As many days, just before."""
    return Period(period.first - (period.last - period.first) - _DAY, period.first - _DAY, period.zone)


def bounds(period: Period) -> tuple[datetime, datetime]:
    """The first moment of a period and the one after its last, in UTC."""
    return _midnight(period.first, period.zone), _midnight(period.last + _DAY, period.zone)


def split(start: datetime, end: datetime) -> tuple[list[tuple[datetime, datetime]], tuple[date, date] | None]:
    """Split a time into its whole UTC days, given by the first and the last one, and what is before and after them."""
    first, last = (start + _DAY - timedelta.resolution).date(), end.date() - _DAY
    if last < first:
        return [(start, end)], None
    days_start, days_end = _midnight(first, UTC), _midnight(last + _DAY, UTC)
    edges = [(start, days_start), (days_end, end)]
    return [(since, until) for since, until in edges if since < until], (first, last)


def list_keys(group_by: GroupBy, period: Period) -> Iterator[str]:
    """All rows of a grouping by time, in order, also those in which nothing happened."""
    match group_by:
        case GroupBy.HOUR:
            yield from map(str, range(_HOURS))
        case GroupBy.WEEKDAY:
            yield from map(str, range(7))
        case GroupBy.WEEKDAY_HOUR:
            yield from map(str, range(7 * _HOURS))
        case _:
            for day in range((period.last - period.first).days + 1):
                yield (period.first + day * _DAY).isoformat()


class QuarterKeys:
    """The row in which each quarter of a UTC day counts, in one time zone. Weekdays count from Monday, 0."""

    def __init__(self, group_by: GroupBy, zone: ZoneInfo) -> None:
        self._zone = zone
        self._key = _KEYS[group_by]
        self._dated = group_by is GroupBy.DAY
        self._cached = lru_cache(maxsize=256)(self._at_offset)

    def of_day(self, day: date) -> tuple[str, ...]:
        """The keys of the day's quarters."""
        start = _midnight(day, UTC)
        offset, next_offset = self._offset(start), self._offset(start + _DAY)
        if offset != next_offset:
            moments = (start + quarter * _QUARTER for quarter in range(QUARTERS_PER_DAY))
            return tuple(self._key(moment.astimezone(self._zone)) for moment in moments)
        if self._dated:
            return self._dates_at_offset(day, offset)
        # Days of the same weekday have the same keys.
        return self._cached(_same_weekday(day), offset)

    def has_whole_hours(self, first: date, last: date) -> bool:
        """Whether each hour of these UTC days is in one row."""
        start, days = _midnight(first, UTC), (last - first).days + 1
        offsets = (self._offset(start + number * _DAY) for number in range(days + 1))
        return all(offset % _HOUR == timedelta(0) for offset in offsets)

    def key_at(self, moment: datetime) -> str:
        return self._key(moment.astimezone(self._zone))

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self._zone).utcoffset() or timedelta(0)

    def _at_offset(self, day: date, offset: timedelta) -> tuple[str, ...]:
        local = datetime(day.year, day.month, day.day) + offset
        return tuple(self._key(local + quarter * _QUARTER) for quarter in range(QUARTERS_PER_DAY))

    def _dates_at_offset(self, day: date, offset: timedelta) -> tuple[str, ...]:
        local = datetime(day.year, day.month, day.day) + offset
        before_midnight = QUARTERS_PER_DAY - quarter_of_day(local.replace(tzinfo=UTC))
        first, second = self._key(local), self._key(local + _DAY)
        return (first,) * before_midnight + (second,) * (QUARTERS_PER_DAY - before_midnight)


_KEYS: dict[GroupBy, Callable[[datetime], str]] = {
    GroupBy.HOUR: lambda local: str(local.hour),
    GroupBy.DAY: lambda local: local.date().isoformat(),
    GroupBy.WEEKDAY: lambda local: str(local.weekday()),
    GroupBy.WEEKDAY_HOUR: lambda local: str(local.weekday() * _HOURS + local.hour),
}


def _same_weekday(day: date) -> date:
    """A day of the same weekday, always the same one."""
    return date(2024, 1, 1 + day.weekday())


def _midnight(day: date, zone: ZoneInfo | timezone) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
