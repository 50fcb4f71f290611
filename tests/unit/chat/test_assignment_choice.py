"""Whom a waiting conversation is given to: who has room, in which order, and which team comes when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from parley.chat.assignment.choice import Candidate, audiences, rank, recently_missed
from parley.chat.sites.routing import Fallback, RoutingMode, SiteRouting

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def candidate(number: int, active: int = 0, *, online: bool = True, minutes_ago: int | None = None) -> Candidate:
    last = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)
    return Candidate(number, f"Operator {number}", online, active, 3, last)


def order(mode: RoutingMode, *candidates: Candidate) -> list[int]:
    return [one.id for one in rank(mode, candidates).available]


def test_round_robin_prefers_who_was_assigned_one_longest_ago() -> None:
    busy, recent, never = candidate(1, 2, minutes_ago=9), candidate(2, minutes_ago=1), candidate(3, 2)
    assert order("round_robin", recent, busy, never) == [3, 1, 2]


def test_least_busy_prefers_who_has_fewest_then_who_waited_longest() -> None:
    busy, recent, idle = candidate(1, 2), candidate(2, minutes_ago=1), candidate(3, minutes_ago=5)
    assert order("least_busy", busy, recent, idle) == [3, 2, 1]


def test_who_is_away_full_or_has_just_missed_it_is_named_with_the_reason() -> None:
    ranking = rank("round_robin", [candidate(1, online=False), candidate(2, 3), candidate(3), candidate(4)], {4})
    assert [one.id for one in ranking.available] == [3]
    assert [(one.operator.id, one.status) for one in ranking.considered] == [
        (3, "available"),
        (2, "full"),
        (4, "missed"),
        (1, "away"),
    ]


def test_fallbacks_follow_the_team_when_their_time_has_come() -> None:
    routing = SiteRouting(
        "round_robin", team_id=1, fallbacks=(Fallback(2, timedelta(seconds=30)), Fallback(None, timedelta(seconds=60)))
    )
    members = {1: {10}, 2: {20}, 3: {30}}

    def tried(seconds: int, team_id: int | None = None) -> list[object]:
        return list(audiences(routing, team_id, members, timedelta(seconds=seconds)))

    assert tried(0) == [{10}]
    assert tried(30) == [{10}, {20}]
    assert tried(61) == [{10}, {20}, None]
    assert tried(0, team_id=3) == [{30}], "a transfer to a team comes before the site's"
    assert tried(0, team_id=99) == [{10}], "a team that was deleted"
    assert list(audiences(SiteRouting("least_busy"), None, members, timedelta())) == [None]
    assert list(audiences(SiteRouting("least_busy", team_id=99), None, members, timedelta())) == [None]


def test_a_miss_counts_for_a_while() -> None:
    missed = {7: NOW - timedelta(seconds=59), 8: NOW - timedelta(seconds=61)}
    assert recently_missed(missed, NOW, timedelta(seconds=60)) == {7}
