"""What a report is asked for, and what it contains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from parley.chat.ai.usage import EngineUsage
from parley.chat.reports.figures import Figures

MAX_DAYS = 400
"""The longest period of a report."""


class GroupBy(StrEnum):
    """What the rows of a report are. The first four are times at which conversations began."""

    HOUR = "hour"
    DAY = "day"
    WEEKDAY = "weekday"
    WEEKDAY_HOUR = "weekday_hour"
    SITE = "site"
    TEAM = "team"
    OPERATOR = "operator"
    LABEL = "label"
    ENGINE = "engine"

    @property
    def is_time(self) -> bool:
        return self in (GroupBy.HOUR, GroupBy.DAY, GroupBy.WEEKDAY, GroupBy.WEEKDAY_HOUR)


@dataclass(frozen=True, slots=True)
class Fact:
    """What reports need of one conversation. It has no data of the visitor except their rating's score."""

    conversation_id: int
    tenant_id: int
    site_id: int
    version: int
    """Of the conversation that it was computed from."""
    began_at: datetime
    handed_off_at: datetime | None = None
    """When a person was first asked for, or first took the conversation."""
    handoff_reason: str | None = None
    requested_at: datetime | None = None
    """When a person was first asked for; None also if one took the conversation unasked."""
    assigned_at: datetime | None = None
    """When an operator first got the conversation after that."""
    first_ai_message_at: datetime | None = None
    first_operator_message_at: datetime | None = None
    waiting: bool = False
    """Whether it is open, and in the queue or with an operator."""
    closed_at: datetime | None = None
    """When it was closed; None while it is open."""
    operator_id: int | None = None
    """Who has the conversation, or had it last."""
    team_id: int | None = None
    label_ids: tuple[int, ...] = ()
    rating: int | None = None
    usage: tuple[EngineUsage, ...] | None = None
    """What each engine of the AI was used for; None if that is not known, or the AI has not replied."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in a time zone; both dates are part of it."""

    first: date
    last: date
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row. `key` is None for the conversations without a team, an operator, a label or an engine with costs."""

    key: str | None
    figures: Figures
    name: str | None = None
    deleted: bool = False
    """Whether the team, operator or label does not exist any more."""


@dataclass(frozen=True, slots=True)
class Report:
    period: Period
    previous_period: Period
    """As many days, just before."""
    group_by: GroupBy
    totals: Figures
    previous_totals: Figures
    rows: Sequence[ReportRow]
    currency: str | None = None
    """Of all costs; None if no site has one, or not all the same."""
