"""Query parameters and responses of reports."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from parley.chat.ai.usage import to_amount
from parley.chat.common_fields import TimeZoneName
from parley.chat.reports.figures import DurationFigures, Figures
from parley.chat.reports.model import MAX_DAYS, GroupBy, Period, Report
from parley.common.errors import ValidationFailed
from parley.common.http import Id, SuccessResponse
from parley.common.http.schemas import Query

_FIRST_YEAR = 2000
_LAST_YEAR = 9000


class ReportQuery(Query):
    """`from` and `to` are days in the time zone, both included; a report covers at most 400 days."""

    first: date = Field(alias="from", description="The first day.")
    last: date = Field(alias="to", description="The last day.")
    site_id: Id | None = Field(None, description="One site; without it, all sites that the caller manages.")
    group_by: GroupBy = GroupBy.DAY
    timezone: TimeZoneName = Field(
        "UTC", description="An IANA time zone, such as Europe/Berlin: where days begin and end."
    )

    def to_period(self) -> Period:
        """Raises ValidationFailed."""
        errors: dict[str, str] = {}
        if not _FIRST_YEAR <= self.first.year <= _LAST_YEAR:
            errors["from"] = f"must be a day of the years {_FIRST_YEAR} to {_LAST_YEAR}"
        if self.last < self.first:
            errors["to"] = "must not be before from"
        elif (self.last - self.first).days >= MAX_DAYS:
            errors["to"] = f"must be less than {MAX_DAYS} days after from"
        if errors:
            raise ValidationFailed(errors)
        return Period(self.first, self.last, ZoneInfo(self.timezone))


class ExportQuery(ReportQuery):
    format: Literal["csv", "json"] = "csv"


class PeriodSchema(BaseModel):
    """Both days are included."""

    first_day: date
    last_day: date


class DurationSchema(BaseModel):
    """Of `count` conversations, in seconds; null without any. The median and the 90th percentile are approximate."""

    count: int
    average_seconds: float | None
    median_seconds: float | None
    p90_seconds: float | None


class RatingsSchema(BaseModel):
    count: int
    average: float | None
    by_score: dict[str, int]


class AiUsageSchema(BaseModel):
    """What the AI has used in conversations in which it has replied. Costs are null where they are not known."""

    conversations: int = Field(description="Those of which it is known; the figures below are about them.")
    unknown: int = Field(description="Those of an earlier version, of which it is not known.")
    input_tokens: int
    output_tokens: int
    embedding_tokens: int
    priced: int = Field(description="Conversations of which all prices were known; the costs are about them.")
    currency: str | None = Field(description="Null if no site has one, or not all the same: then there is no cost.")
    cost: float | None
    cost_per_conversation: float | None
    cost_per_resolved: float | None = Field(description="Per conversation that the AI has answered without a handoff.")


class FiguresSchema(BaseModel):
    """The figures of the conversations that began in a period. Shares are between 0 and 1; null of nothing."""

    chats: int
    closed: int
    handoffs: int
    handoff_reasons: dict[str, int]
    requests: int
    assigned: int
    waiting: int
    abandoned: int
    abandoned_share: float | None
    ai_replied: int
    ai_resolved: int
    ai_resolved_share: float | None
    first_reply: DurationSchema
    wait: DurationSchema
    resolution: DurationSchema
    ratings: RatingsSchema
    ai_usage: AiUsageSchema


class ReportRowSchema(FiguresSchema):
    """One row. `key` is an hour (0 to 23), a day, a weekday (0 is Monday), an hour of the week, or an id.

    It is null for the conversations without a team, an operator or a label. `name` is null for times and for what was
    deleted.
    """

    key: str | None
    name: str | None
    deleted: bool


class ReportResponse(SuccessResponse):
    """`previous` has the totals of as many days just before."""

    period: PeriodSchema
    previous_period: PeriodSchema
    timezone: str
    group_by: GroupBy
    totals: FiguresSchema
    previous: FiguresSchema
    rows: list[ReportRowSchema]


def to_response(report: Report) -> ReportResponse:
    return ReportResponse(
        period=_to_period(report.period),
        previous_period=_to_period(report.previous_period),
        timezone=report.period.zone.key,
        group_by=report.group_by,
        totals=FiguresSchema(**_fields(report.totals, report.currency)),
        previous=FiguresSchema(**_fields(report.previous_totals, report.currency)),
        rows=[
            ReportRowSchema(key=row.key, name=row.name, deleted=row.deleted, **_fields(row.figures, report.currency))
            for row in report.rows
        ],
    )


def _to_period(period: Period) -> PeriodSchema:
    return PeriodSchema(first_day=period.first, last_day=period.last)


def _fields(figures: Figures, currency: str | None) -> dict[str, Any]:
    return {
        "chats": figures.chats,
        "closed": figures.closed,
        "handoffs": figures.handoffs,
        "handoff_reasons": dict(figures.handoff_reasons),
        "requests": figures.requests,
        "assigned": figures.assigned,
        "waiting": figures.waiting,
        "abandoned": figures.abandoned,
        "abandoned_share": figures.abandoned_share,
        "ai_replied": figures.ai_replied,
        "ai_resolved": figures.ai_resolved,
        "ai_resolved_share": figures.ai_resolved_share,
        "first_reply": _to_duration(figures.first_reply),
        "wait": _to_duration(figures.wait),
        "resolution": _to_duration(figures.resolution),
        "ratings": RatingsSchema(
            count=figures.rating_count,
            average=figures.rating_average,
            by_score={str(score): times for score, times in figures.ratings.items()},
        ),
        "ai_usage": to_usage(figures, currency),
    }


def to_usage(figures: Figures, currency: str | None) -> AiUsageSchema:
    usage = figures.usage
    is_priced = currency is not None and usage.priced > 0
    return AiUsageSchema(
        conversations=usage.conversations,
        unknown=figures.ai_replied - usage.conversations,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        embedding_tokens=usage.embedding_tokens,
        priced=usage.priced,
        currency=currency,
        cost=to_amount(usage.cost) if is_priced else None,
        cost_per_conversation=figures.cost_per(usage.priced) if is_priced else None,
        cost_per_resolved=figures.cost_per(usage.priced_resolved) if is_priced else None,
    )


def _to_duration(duration: DurationFigures) -> DurationSchema:
    return DurationSchema(
        count=duration.count,
        average_seconds=duration.average,
        median_seconds=duration.median,
        p90_seconds=duration.percentile_90,
    )
