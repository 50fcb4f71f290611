"""A report as CSV (RFC 4180), for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from parley.chat.reports.figures import DURATIONS, REASONS, SCORES, DurationFigures, Figures
from parley.chat.reports.model import GroupBy, Report, ReportRow
from parley.chat.reports.schemas import AiUsageSchema, to_usage

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HOURS = 24
_COUNTS = (
    "chats",
    "closed",
    "handoffs",
    "requests",
    "assigned",
    "waiting",
    "abandoned",
    "abandoned_share",
    "ai_replied",
    "ai_resolved",
    "ai_resolved_share",
)


def to_csv(report: Report) -> str:
    """One line for each row, after the names of the columns. Durations are in seconds."""
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow([report.group_by.value, "name", *_columns()])
    for row in report.rows:
        cells = (row.key, _name(report.group_by, row), *_values(row.figures, report.currency))
        writer.writerow([escape_cell("" if cell is None else str(cell)) for cell in cells])
    return output.getvalue()


def escape_cell(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _name(group_by: GroupBy, row: ReportRow) -> str | None:
    match group_by:
        case GroupBy.WEEKDAY if row.key is not None:
            return _WEEKDAYS[int(row.key)]
        case GroupBy.WEEKDAY_HOUR if row.key is not None:
            weekday, hour = divmod(int(row.key), _HOURS)
            return f"{_WEEKDAYS[weekday]} {hour:02}:00"
        case _:
            return row.name


def _columns() -> Iterator[str]:
    yield from _COUNTS
    yield from (f"handoffs_{reason}" for reason in REASONS)
    for name in DURATIONS:
        yield from (f"{name}_{figure}" for figure in ("count", "average", "median", "p90"))
    yield from ("ratings", "rating_average")
    yield from (f"ratings_{score}" for score in SCORES)
    yield from (f"ai_{name}" for name in AiUsageSchema.model_fields)


def _values(figures: Figures, currency: str | None) -> Iterator[float | str | None]:
    yield from (getattr(figures, name) for name in _COUNTS)
    yield from (figures.handoff_reasons[reason] for reason in REASONS)
    for name in DURATIONS:
        duration: DurationFigures = getattr(figures, name)
        yield from (duration.count, duration.average, duration.median, duration.percentile_90)
    yield from (figures.rating_count, figures.rating_average)
    yield from (figures.ratings[score] for score in SCORES)
    yield from dict(to_usage(figures, currency)).values()
