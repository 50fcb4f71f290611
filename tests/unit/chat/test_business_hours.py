"""Business hours: weekly ranges in the site's time zone, clock changes, closed dates."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from parley.chat.sites.business_hours import MINUTES_PER_DAY, BusinessHours, TimeRange

WEEKDAYS = BusinessHours("Europe/Berlin", tuple(TimeRange(day, 9 * 60, 18 * 60) for day in range(5)))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-23T08:00", True),  # Monday, 9:00 in Berlin
        ("2026-11-23T07:59", False),
        ("2026-11-23T16:59", True),
        ("2026-11-23T17:00", False),  # 18:00 is excluded
        ("2026-07-06T07:00", True),  # In summer Berlin is two hours ahead
        ("2026-11-22T12:00", False),  # Sunday
    ],
)
def test_a_site_is_open_within_its_hours_in_its_time_zone(moment: str, open_: bool) -> None:
    assert WEEKDAYS.status_at(utc(moment)).open is open_


def test_a_closed_status_says_when_the_site_opens() -> None:
    assert WEEKDAYS.status_at(utc("2026-11-20T20:00")).opens_at == utc("2026-11-23T08:00")
    assert WEEKDAYS.status_at(utc("2026-11-23T03:00")).opens_at == utc("2026-11-23T08:00")
    assert WEEKDAYS.status_at(utc("2026-11-23T12:00")).opens_at is None, "it is open"


def test_a_day_can_have_several_ranges() -> None:
    hours = BusinessHours("UTC", (TimeRange(0, 14 * 60, 18 * 60), TimeRange(0, 9 * 60, 12 * 60)))
    assert hours.status_at(utc("2026-11-23T11:59")).open
    noon = hours.status_at(utc("2026-11-23T12:00"))
    assert (noon.open, noon.opens_at) == (False, utc("2026-11-23T14:00"))
    assert hours.status_at(utc("2026-11-23T18:00")).opens_at == utc("2026-11-30T09:00")


def test_ranges_that_meet_at_midnight_are_continuous() -> None:
    hours = BusinessHours("America/Sao_Paulo", (TimeRange(4, 22 * 60, MINUTES_PER_DAY), TimeRange(5, 0, 2 * 60)))
    for moment in ("2026-11-28T01:00", "2026-11-28T02:59", "2026-11-28T03:00", "2026-11-28T04:59"):
        assert hours.status_at(utc(moment)).open, moment
    assert not hours.status_at(utc("2026-11-28T00:59")).open
    assert not hours.status_at(utc("2026-11-28T05:00")).open


def test_a_site_is_closed_on_closed_dates() -> None:
    hours = BusinessHours(WEEKDAYS.time_zone, WEEKDAYS.weekly, (date(2026, 12, 24), date(2026, 12, 25)))
    assert hours.status_at(utc("2026-12-23T12:00")).open
    closed = hours.status_at(utc("2026-12-24T12:00"))
    assert (closed.open, closed.opens_at) == (False, utc("2026-12-28T08:00"))


def test_without_weekly_hours_every_date_that_is_not_closed_is_open() -> None:
    hours = BusinessHours("Asia/Tokyo", closed=(date(2026, 12, 25),))
    assert hours.status_at(utc("2026-12-24T14:59")).open
    closed = hours.status_at(utc("2026-12-24T15:00"))
    assert (closed.open, closed.opens_at) == (False, utc("2026-12-25T15:00"))


def test_opening_is_unknown_if_no_date_is_left() -> None:
    every_monday = tuple(date.fromordinal(date(2026, 11, 23).toordinal() + 7 * week) for week in range(70))
    closed = BusinessHours("UTC", (TimeRange(0, 0, 60),), every_monday).status_at(utc("2026-11-23T00:30"))
    assert (closed.open, closed.opens_at) == (False, None)


def test_an_hour_skipped_by_the_clock_does_not_shift_other_hours() -> None:
    sunday = BusinessHours(
        "Europe/Berlin", (TimeRange(6, 60, 4 * 60),)
    )  # Clocks skip from 02:00 to 03:00 on 2026-03-29.
    assert sunday.status_at(utc("2026-03-29T00:00")).open
    assert sunday.status_at(utc("2026-03-29T01:59")).open
    assert not sunday.status_at(utc("2026-03-29T02:00")).open
    night = BusinessHours("Europe/Berlin", (TimeRange(6, 2 * 60 + 30, 5 * 60),))
    assert night.status_at(utc("2026-03-28T12:00")).opens_at == utc("2026-03-29T01:30")


def test_an_hour_repeated_by_the_clock_is_open_both_times() -> None:
    sunday = BusinessHours(
        "Europe/Berlin", (TimeRange(6, 60, 2 * 60 + 30),)
    )  # Clocks go back from 03:00 to 02:00 on 2026-10-25.
    assert sunday.status_at(utc("2026-10-25T00:29")).open
    assert sunday.status_at(utc("2026-10-25T01:29")).open, "02:30 has not been reached for the second time"
    assert not sunday.status_at(utc("2026-10-25T01:30")).open


def test_a_day_ends_at_midnight_even_if_the_clock_skips_midnight() -> None:
    # Clocks in Beirut skip from 00:00 to 01:00 on 2026-03-29.
    hours = BusinessHours("Asia/Beirut", (TimeRange(5, 20 * 60, MINUTES_PER_DAY),))
    assert hours.status_at(utc("2026-03-28T21:59")).open
    assert not hours.status_at(utc("2026-03-28T23:00")).open
