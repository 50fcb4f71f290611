"""Working hours: weekly spans in the site's own time zone, through changes of the clock and closed dates."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from parley.chat.sites.business_hours import DAY_MINUTES, Hours, Span

OFFICE = Hours("Europe/Berlin", tuple(Span(day, 9 * 60, 18 * 60) for day in range(5)))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-23T08:00", True),  # Monday, 9:00 in Berlin
        ("2026-11-23T07:59", False),
        ("2026-11-23T16:59", True),
        ("2026-11-23T17:00", False),  # 18:00 is not in it any more
        ("2026-07-06T07:00", True),  # In summer Berlin is two hours ahead
        ("2026-11-22T12:00", False),  # Sunday
    ],
)
def test_a_site_is_open_within_its_hours_by_its_own_clock(moment: str, open_: bool) -> None:
    assert OFFICE.at(utc(moment)).open is open_


def test_closed_it_says_when_it_opens_again() -> None:
    assert OFFICE.at(utc("2026-11-20T20:00")).opens_at == utc("2026-11-23T08:00")
    assert OFFICE.at(utc("2026-11-23T03:00")).opens_at == utc("2026-11-23T08:00")
    assert OFFICE.at(utc("2026-11-23T12:00")).opens_at is None, "it is open"


def test_a_day_may_have_several_spans() -> None:
    hours = Hours("UTC", (Span(0, 14 * 60, 18 * 60), Span(0, 9 * 60, 12 * 60)))
    assert hours.at(utc("2026-11-23T11:59")).open
    noon = hours.at(utc("2026-11-23T12:00"))
    assert (noon.open, noon.opens_at) == (False, utc("2026-11-23T14:00"))
    assert hours.at(utc("2026-11-23T18:00")).opens_at == utc("2026-11-30T09:00")


def test_spans_that_touch_midnight_are_one_night() -> None:
    hours = Hours("America/Sao_Paulo", (Span(4, 22 * 60, DAY_MINUTES), Span(5, 0, 2 * 60)))
    for moment in ("2026-11-28T01:00", "2026-11-28T02:59", "2026-11-28T03:00", "2026-11-28T04:59"):
        assert hours.at(utc(moment)).open, moment
    assert not hours.at(utc("2026-11-28T00:59")).open
    assert not hours.at(utc("2026-11-28T05:00")).open


def test_on_closed_dates_nobody_is_there() -> None:
    hours = Hours(OFFICE.time_zone, OFFICE.weekly, (date(2026, 12, 24), date(2026, 12, 25)))
    assert hours.at(utc("2026-12-23T12:00")).open
    closed = hours.at(utc("2026-12-24T12:00"))
    assert (closed.open, closed.opens_at) == (False, utc("2026-12-28T08:00"))


def test_without_weekly_hours_every_other_day_is_open() -> None:
    hours = Hours("Asia/Tokyo", closed=(date(2026, 12, 25),))
    assert hours.at(utc("2026-12-24T14:59")).open
    closed = hours.at(utc("2026-12-24T15:00"))
    assert (closed.open, closed.opens_at) == (False, utc("2026-12-25T15:00"))


def test_where_no_date_is_left_it_is_not_known_when_it_opens() -> None:
    every_monday = tuple(date.fromordinal(date(2026, 11, 23).toordinal() + 7 * week) for week in range(70))
    closed = Hours("UTC", (Span(0, 0, 60),), every_monday).at(utc("2026-11-23T00:30"))
    assert (closed.open, closed.opens_at) == (False, None)


def test_the_hour_that_the_clock_leaves_out_does_not_shift_the_rest() -> None:
    sunday = Hours("Europe/Berlin", (Span(6, 60, 4 * 60),))  # On 2026-03-29 two o'clock is three o'clock.
    assert sunday.at(utc("2026-03-29T00:00")).open
    assert sunday.at(utc("2026-03-29T01:59")).open
    assert not sunday.at(utc("2026-03-29T02:00")).open
    night = Hours("Europe/Berlin", (Span(6, 2 * 60 + 30, 5 * 60),))
    assert night.at(utc("2026-03-28T12:00")).opens_at == utc("2026-03-29T01:30")


def test_the_hour_that_comes_twice_belongs_to_a_span_both_times() -> None:
    sunday = Hours("Europe/Berlin", (Span(6, 60, 2 * 60 + 30),))  # On 2026-10-25 three o'clock is two o'clock again.
    assert sunday.at(utc("2026-10-25T00:29")).open
    assert sunday.at(utc("2026-10-25T01:29")).open, "half past two has not been for the second time"
    assert not sunday.at(utc("2026-10-25T01:30")).open


def test_a_day_ends_at_midnight_also_where_midnight_is_left_out() -> None:
    # On 2026-03-29 clocks in Beirut go from midnight to one o'clock.
    hours = Hours("Asia/Beirut", (Span(5, 20 * 60, DAY_MINUTES),))
    assert hours.at(utc("2026-03-28T21:59")).open
    assert not hours.at(utc("2026-03-28T23:00")).open
