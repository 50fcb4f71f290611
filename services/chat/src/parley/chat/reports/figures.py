"""Counts that add up, and the figures of a report that are computed from them.

A vector holds one count for each field. Vectors of disjoint sets of conversations are added field by field, so that a
year is the sum of its days. Durations are counted in a histogram with fixed buckets, each a quarter longer than the one
before, from which the median and the 90th percentile are read.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from parley.chat.ai.usage import to_amount

if TYPE_CHECKING:
    from parley.chat.reports.model import Fact

_FIRST_REASONS: Final = ("asked", "ai_does_not_know", "ai_failed", "ai_blocked", "taken_over", "other")
REASONS: Final = (*_FIRST_REASONS, "ai_cap", "offline_form")
"""Why conversations were handed off; `other` also for those of earlier versions, which did not store the reason."""
SCORES: Final = (1, 2, 3, 4, 5)
DURATIONS: Final = ("first_reply", "wait", "resolution")

_BUCKET_RATIO: Final = 1.25
_LONGEST: Final = 30 * 24 * 3600
"""Longer durations count as this long."""
_BOUNDS: Final = tuple(_BUCKET_RATIO**power for power in range(math.ceil(math.log(_LONGEST, _BUCKET_RATIO)) + 1))
"""Upper bounds of the buckets, exclusive, in seconds: the first bucket is below one second."""
_BUCKETS: Final = len(_BOUNDS)

# Fields are stored by their number: new ones are added at the end.
_COUNTS: Final = ("chats", "closed", "handoffs", "requests", "assigned", "waiting", "abandoned", "ai_replied")
_AI_RESOLVED = len(_COUNTS)
_FIRST_SCORE = _AI_RESOLVED + 1
_FIRST_REASON = _FIRST_SCORE + len(SCORES)
_FIRST_SUM = _FIRST_REASON + len(_FIRST_REASONS)
_FIRST_BUCKET = _FIRST_SUM + len(DURATIONS)
FIRST_FIELDS: Final = _FIRST_BUCKET + len(DURATIONS) * _BUCKETS
"""The length of a vector of the first version. No version reads tables with other fields than its own."""
_AI_CAP = FIRST_FIELDS
_USAGE: Final = (
    "conversations",
    "input_tokens",
    "output_tokens",
    "embedding_tokens",
    "priced",
    "cost",
    "priced_resolved",
)
_FIRST_USAGE = _AI_CAP + 1
SECOND_FIELDS: Final = _FIRST_USAGE + len(_USAGE)
"""The length of a vector of the version before."""
_OFFLINE_FORM = SECOND_FIELDS
FIELDS: Final = _OFFLINE_FORM + 1
"""The length of a vector. A field's number fits into one byte."""

_REASON_FIELDS: Final = {
    **{reason: _FIRST_REASON + number for number, reason in enumerate(_FIRST_REASONS)},
    "ai_cap": _AI_CAP,
    "offline_form": _OFFLINE_FORM,
}
_NUMBER_OF: Final = {name: number for number, name in enumerate(_COUNTS)}

Vector = list[int]


@dataclass(frozen=True, slots=True)
class DurationFigures:
    """Of `count` conversations, in seconds; None without any."""

    count: int
    average: float | None
    median: float | None
    percentile_90: float | None


@dataclass(frozen=True, slots=True)
class UsageFigures:
    """What the AI has used in conversations in which it has replied."""

    conversations: int
    """Those of which it is known."""
    input_tokens: int
    output_tokens: int
    embedding_tokens: int
    priced: int
    """Of the conversations, those whose cost is known."""
    cost: int
    """Of these, in billionths of the currency."""
    priced_resolved: int
    """Of these, the ones without a handoff."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one row. docs/reports.md defines each."""

    chats: int
    closed: int
    handoffs: int
    handoff_reasons: Mapping[str, int]
    requests: int
    assigned: int
    waiting: int
    abandoned: int
    ai_replied: int
    ai_resolved: int
    first_reply: DurationFigures
    wait: DurationFigures
    resolution: DurationFigures
    ratings: Mapping[int, int]
    """How often each score was given."""
    usage: UsageFigures

    def cost_per(self, count: int) -> float | None:
        """The known cost, divided by a number; None if that is 0."""
        return to_amount(self.usage.cost / count) if count else None

    @property
    def abandoned_share(self) -> float | None:
        return _share(self.abandoned, self.requests)

    @property
    def ai_resolved_share(self) -> float | None:
        return _share(self.ai_resolved, self.chats)

    @property
    def rating_count(self) -> int:
        return sum(self.ratings.values())

    @property
    def rating_average(self) -> float | None:
        total = sum(score * times for score, times in self.ratings.items())
        return round(total / self.rating_count, 2) if self.rating_count else None


def new_vector() -> Vector:
    return [0] * FIELDS


def fact_fields(fact: Fact, engine: str | None = None) -> list[tuple[int, int]]:
    """The fields that a conversation adds to, and by how much. With an engine, what only that was used for."""
    fields = [(number, 1) for number in _counted_fields(fact)]
    fields += ((_FIRST_USAGE + _USAGE.index(name), value) for name, value in _usage(fact, engine))
    for number, seconds in enumerate(_durations(fact)):
        if seconds is not None:
            fields.append((_FIRST_SUM + number, round(seconds)))
            fields.append((_FIRST_BUCKET + number * _BUCKETS + _bucket(seconds), 1))
    return fields


def to_figures(vector: Sequence[int]) -> Figures:
    first_reply, wait, resolution = (_to_duration_figures(vector, number) for number in range(len(DURATIONS)))
    return Figures(
        **{name: vector[number] for name, number in _NUMBER_OF.items()},
        ai_resolved=vector[_AI_RESOLVED],
        handoff_reasons=_to_reasons(vector),
        first_reply=first_reply,
        wait=wait,
        resolution=resolution,
        ratings={score: vector[_FIRST_SCORE + number] for number, score in enumerate(SCORES)},
        usage=UsageFigures(*vector[_FIRST_USAGE : _FIRST_USAGE + len(_USAGE)]),
    )


def _to_reasons(vector: Sequence[int]) -> dict[str, int]:
    reasons = {name: vector[_REASON_FIELDS[name]] for name in REASONS}
    reasons["other"] -= reasons["offline_form"]
    return reasons


def _counted_fields(fact: Fact) -> Iterator[int]:
    yield _NUMBER_OF["chats"]
    if fact.closed_at is not None:
        yield _NUMBER_OF["closed"]
    if fact.handed_off_at is not None:
        yield _NUMBER_OF["handoffs"]
        reason = fact.handoff_reason if fact.handoff_reason in REASONS else "other"
        yield _REASON_FIELDS[reason]
        if reason == "offline_form":
            # Among the others as well, where the version before counts it.
            yield _REASON_FIELDS["other"]
    if fact.requested_at is not None:
        yield _NUMBER_OF["requests"]
        if fact.assigned_at is not None:
            yield _NUMBER_OF["assigned"]
        if fact.first_operator_message_at is None:
            yield _NUMBER_OF["waiting" if fact.waiting else "abandoned"]
    if fact.first_ai_message_at is not None:
        yield _NUMBER_OF["ai_replied"]
        if fact.handed_off_at is None:
            yield _AI_RESOLVED
    if fact.rating in SCORES:
        yield _FIRST_SCORE + SCORES.index(fact.rating)


def _usage(fact: Fact, engine: str | None) -> Iterator[tuple[str, int]]:
    if fact.usage is None:
        return
    used = [one for one in fact.usage if engine in (None, one.engine)]
    yield "conversations", 1
    for one in used:
        yield "input_tokens", one.tokens.input
        yield "output_tokens", one.tokens.output
        yield "embedding_tokens", one.tokens.embedding
    costs = [one.cost for one in used if one.cost is not None]
    if len(costs) == len(used):
        yield "priced", 1
        yield "cost", sum(costs)
        if fact.handed_off_at is None:
            yield "priced_resolved", 1


def _durations(fact: Fact) -> tuple[float | None, float | None, float | None]:
    """Of DURATIONS, in seconds; None where there is none."""
    return (
        _seconds_between(fact.requested_at, fact.first_operator_message_at),
        _seconds_between(fact.requested_at, fact.assigned_at),
        _seconds_between(fact.began_at, fact.closed_at),
    )


def _seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None or end < start:
        return None
    return min((end - start).total_seconds(), _LONGEST)


def _bucket(seconds: float) -> int:
    return min(bisect_right(_BOUNDS, seconds), _BUCKETS - 1)


def _to_duration_figures(vector: Sequence[int], number: int) -> DurationFigures:
    first = _FIRST_BUCKET + number * _BUCKETS
    buckets = vector[first : first + _BUCKETS]
    count = sum(buckets)
    if count == 0:
        return DurationFigures(0, None, None, None)
    average = round(vector[_FIRST_SUM + number] / count, 1)
    return DurationFigures(count, average, _quantile(buckets, count, 0.5), _quantile(buckets, count, 0.9))


def _quantile(buckets: Sequence[int], count: int, share: float) -> float:
    """The duration in seconds that a share of the conversations does not exceed, interpolated within its bucket."""
    rank = share * count
    totals = list(accumulate(buckets))
    bucket = next(number for number, total in enumerate(totals) if total >= rank)
    lower, upper = _BOUNDS[bucket - 1] if bucket else 0.0, _BOUNDS[bucket]
    position = (rank - (totals[bucket] - buckets[bucket])) / buckets[bucket]
    return round(lower + position * (upper - lower), 1)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
