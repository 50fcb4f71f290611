"""Facts, figures and periods of reports, and their CSV: pure functions."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from parley.chat.conversations import transitions
from parley.chat.conversations.mappers import conversation_document, to_conversation
from parley.chat.conversations.model import MAX_HISTORY_ENTRIES, Conversation
from parley.chat.messages.model import MessageDraft
from parley.chat.reports.csv_export import escape_cell, to_csv
from parley.chat.reports.facts import build_fact
from parley.chat.reports.figures import FIELDS, Figures, fact_fields, new_vector, to_figures
from parley.chat.reports.model import Fact, GroupBy, Period, Report, ReportRow
from parley.chat.reports.periods import QuarterKeys, bounds, list_keys, previous_period, split
from parley.chat.reports.tables import QUARTERS_PER_DAY, Dimension, TableBuilder, add
from parley.chat.visitors.model import Visitor
from parley.common.events.schemas import OperatorRef, Role

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TIMEOUT = timedelta(minutes=5)
ALEX, SAM = OperatorRef(id=1, name="Alex"), OperatorRef(id=2, name="Sam")
BERLIN, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")


def after(**duration: float) -> datetime:
    return NOW + timedelta(**duration)


def asked() -> Conversation:
    """A conversation in which the AI answered after 2 s and the visitor asked for a person after 60 s."""
    conversation = answered_by_ai()
    return transitions.request_handoff(conversation, "asked", after(seconds=60)).conversation


def answered_by_ai() -> Conversation:
    opened = transitions.open_conversation(Visitor(7, 3, "sess_x", version=1), 50, None, "ai", NOW).conversation
    conversation = transitions.add_visitor_message(
        opened, draft("visitor", 1), NOW, TIMEOUT, needs_human=False
    ).conversation
    change = transitions.add_ai_message(
        conversation, draft("ai", 2), conversation.generation, after(seconds=2), knew_answer=True
    )
    assert change is not None
    return change.conversation


def draft(role: Role, number: int) -> MessageDraft:
    return MessageDraft(number, role, f"text {number}", sender=ALEX if role == "operator" else None)


def figures_of(*conversations: Conversation) -> Figures:
    return sum_up([build_fact(conversation) for conversation in conversations])


def sum_up(facts: Sequence[Fact]) -> Figures:
    vector = new_vector()
    for fact in facts:
        add(vector, fact_fields(fact))
    return to_figures(vector)


def test_a_conversation_that_no_person_was_needed_for_is_resolved_by_the_ai() -> None:
    figures = figures_of(answered_by_ai())
    assert (figures.chats, figures.ai_replied, figures.ai_resolved, figures.handoffs) == (1, 1, 1, 0)
    assert figures.ai_resolved_share == 1
    silent = transitions.open_conversation(Visitor(7, 3, "s"), 51, None, "ai", NOW).conversation
    assert figures_of(silent, answered_by_ai()).ai_resolved_share == 0.5, "the AI said nothing in one of them"


def test_a_conversation_in_which_a_person_was_asked_for_is_not_resolved_by_the_ai() -> None:
    figures = figures_of(asked())
    assert (figures.handoffs, figures.ai_replied, figures.ai_resolved) == (1, 1, 0)
    assert figures.handoff_reasons["asked"] == 1


def test_one_who_asked_for_a_person_and_got_no_reply_is_waiting_until_the_close_and_then_abandoned() -> None:
    waiting = asked()
    assert (figures_of(waiting).waiting, figures_of(waiting).abandoned) == (1, 0)
    accepted = transitions.accept(waiting, ALEX, after(seconds=90), TIMEOUT).conversation
    assert figures_of(accepted).waiting == 1, "accepted, but nobody has written"
    closed = transitions.close(accepted, ALEX, after(seconds=100), overrule=False).conversation
    figures = figures_of(closed)
    assert (figures.waiting, figures.abandoned, figures.abandoned_share) == (0, 1, 1)
    released = transitions.release(accepted, ALEX, after(seconds=100), overrule=False).conversation
    assert figures_of(released).abandoned == 1, "it went back to the AI without a reply of a person"


def test_durations_begin_when_a_person_is_asked_for_and_when_the_conversation_begins() -> None:
    accepted = transitions.accept(asked(), ALEX, after(seconds=90), TIMEOUT).conversation
    replied = transitions.add_operator_message(
        accepted, draft("operator", 3), ALEX, after(seconds=160), TIMEOUT
    ).conversation
    again = transitions.add_operator_message(
        replied, draft("operator", 4), ALEX, after(seconds=500), TIMEOUT
    ).conversation
    closed = transitions.close(again, ALEX, after(seconds=600), overrule=False).conversation
    figures = figures_of(closed)
    assert figures.wait.average == 30
    assert figures.first_reply.average == 100
    assert figures.resolution.average == 600
    assert (figures.abandoned, figures.assigned, figures.closed) == (0, 1, 1)
    reopened = transitions.reopen(closed, SAM, after(seconds=700), TIMEOUT).conversation
    assert figures_of(reopened).resolution.count == 0
    assert build_fact(reopened).operator_id == SAM.id


def test_an_operator_who_takes_a_conversation_unasked_counts_as_a_handoff_without_a_wait() -> None:
    taken = transitions.add_operator_message(
        answered_by_ai(), draft("operator", 3), ALEX, after(seconds=9), TIMEOUT
    ).conversation
    figures = figures_of(taken)
    assert figures.handoff_reasons["taken_over"] == 1
    assert (figures.requests, figures.wait.count, figures.first_reply.count, figures.ai_resolved) == (0, 0, 0, 0)


def test_a_handoff_is_counted_after_more_changes_than_the_history_keeps() -> None:
    conversation = transitions.accept(asked(), ALEX, after(seconds=90), TIMEOUT).conversation
    for number in range(MAX_HISTORY_ENTRIES):
        labels = ([1], []) if number % 2 else ([], [1])
        at = after(seconds=100 + number)
        conversation = transitions.change_labels(conversation, *labels, ALEX, at).conversation
    conversation = transitions.change_labels(conversation, [7], [], SAM, after(seconds=500)).conversation
    figures = figures_of(conversation)
    assert (figures.handoff_reasons["asked"], figures.wait.average) == (1, 30)
    assert len(conversation.history) == MAX_HISTORY_ENTRIES
    assert conversation.history[-1].by == SAM


def test_the_last_end_counts_also_for_silence() -> None:
    accepted = transitions.accept(asked(), ALEX, after(seconds=90), TIMEOUT).conversation
    closed = transitions.close(accepted, ALEX, after(seconds=100), overrule=False).conversation
    reopened = transitions.reopen(closed, ALEX, after(seconds=200), TIMEOUT).conversation
    silent = reopened.with_history(after(seconds=300), "closed_for_silence", None)
    assert build_fact(replace(silent, mode="closed", operator=None)).closed_at == after(seconds=300)


def test_the_first_messages_go_to_the_reports_and_later_ones_do_not() -> None:
    conversation = answered_by_ai()
    first = transitions.add_operator_message(conversation, draft("operator", 3), ALEX, after(seconds=9), TIMEOUT)
    second = transitions.add_operator_message(
        first.conversation, draft("operator", 4), ALEX, after(seconds=10), TIMEOUT
    )
    assert [event.routing_tag for event in (*first.events[-1:], *second.events)] == ["reports", None]


def test_documents_of_earlier_versions_have_facts() -> None:
    document = {"_id": 50, **conversation_document(asked())}
    del document["first_ai_message_at"], document["first_operator_message_at"], document["usage"]
    document["history"] = [
        {name: entry[name] for name in ("at", "action", "by", "to")} for entry in document["history"]
    ]
    fact = build_fact(to_conversation(document))
    assert fact == replace(build_fact(asked()), handoff_reason=None, first_ai_message_at=None, usage=None)
    assert sum_up([fact]).handoff_reasons["other"] == 1


@pytest.mark.parametrize("seconds", [0, 1, 5, 59, 60, 3600, 86_400, 29 * 86_400])
def test_medians_are_within_a_bucket_of_the_durations(seconds: int) -> None:
    fact = Fact(1, 7, 3, 1, NOW, requested_at=NOW, handed_off_at=NOW, assigned_at=after(seconds=seconds))
    wait = sum_up([fact] * 3).wait
    assert wait.average == seconds
    assert wait.median is not None
    assert abs(wait.median - seconds) <= max(1, 0.25 * seconds)


def test_percentiles_follow_the_order_of_the_durations() -> None:
    facts = [
        Fact(number, 7, 3, 1, NOW, requested_at=NOW, assigned_at=after(seconds=10 if number < 80 else 1000))
        for number in range(100)
    ]
    wait = sum_up(facts).wait
    assert wait.median == pytest.approx(10, rel=0.25)
    assert wait.percentile_90 == pytest.approx(1000, rel=0.25)


def test_a_month_counts_as_a_duration_and_a_field_fits_into_one_byte() -> None:
    fact = Fact(1, 7, 3, 1, NOW, closed_at=after(days=300))
    assert sum_up([fact]).resolution.average == 30 * 86_400
    assert FIELDS <= 256


def test_ratings_count_by_score() -> None:
    figures = sum_up([Fact(number, 7, 3, 1, NOW, rating=score) for number, score in enumerate((5, 5, 2, None))])
    assert (figures.rating_count, figures.rating_average, figures.ratings[5]) == (3, 4, 2)


def test_a_table_has_the_sums_of_each_key() -> None:
    builder = TableBuilder()
    for number, labels in enumerate(((1, 2), (2,), ())):
        began_at = NOW + timedelta(minutes=15 * number)
        builder.add(Fact(number, 7, 3, 1, began_at, label_ids=labels, operator_id=number or None))
    tables = builder.build()
    assert [key for key, _, _ in tables[Dimension.LABEL].rows()] == [0, 1, 2]
    assert [values for _, _, values in tables[Dimension.LABEL].rows()] == [(1,), (1,), (2,)]
    assert [key for key, _, _ in tables[Dimension.QUARTER].rows()] == [12, 13, 14]
    assert [values for _, _, values in tables[Dimension.ALL].rows()] == [(3,)]
    assert tables[Dimension.OPERATOR].keys == (0, 1, 2)


def test_the_previous_period_has_as_many_days() -> None:
    period = Period(date(2026, 3, 1), date(2026, 3, 31), BERLIN)
    assert previous_period(period) == Period(date(2026, 1, 29), date(2026, 2, 28), BERLIN)


def test_a_period_is_split_into_utc_days_and_what_is_around_them() -> None:
    start, end = bounds(Period(date(2026, 3, 28), date(2026, 3, 30), BERLIN))
    assert (start, end) == (datetime(2026, 3, 27, 23, tzinfo=UTC), datetime(2026, 3, 30, 22, tzinfo=UTC))
    edges, days = split(start, end)
    assert days == (date(2026, 3, 28), date(2026, 3, 29))
    assert edges == [(start, datetime(2026, 3, 28, tzinfo=UTC)), (datetime(2026, 3, 30, tzinfo=UTC), end)]
    assert split(*bounds(Period(date(2026, 3, 28), date(2026, 3, 28), UTC_ZONE))) == ([], (date(2026, 3, 28),) * 2)
    one_day = bounds(Period(date(2026, 3, 28), date(2026, 3, 28), KATHMANDU))
    assert split(*one_day) == ([one_day], None)


UTC_ZONE = ZoneInfo("UTC")


@pytest.mark.parametrize("group_by", [one for one in GroupBy if one.is_time])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"])
def test_each_quarter_counts_in_its_local_row_also_when_the_clocks_change(group_by: GroupBy, zone: str) -> None:
    local = ZoneInfo(zone)
    period = Period(date(2026, 1, 1), date(2026, 12, 31), local)
    rows = set(list_keys(group_by, period))
    keys = QuarterKeys(group_by, local)
    # Two weeks around each change of the clocks of these zones, and one without any.
    for month in (1, 3, 4, 10, 11):
        for number in range(1, 29):
            day = date(2026, month, number)
            start = datetime(2026, month, number, tzinfo=UTC)
            expected = tuple(
                keys.key_at(start + timedelta(minutes=15 * quarter)) for quarter in range(QUARTERS_PER_DAY)
            )
            assert keys.of_day(day) == expected, day
            assert number == 1 or set(expected) <= rows


def test_a_weekday_and_an_hour_are_local() -> None:
    monday_in_kathmandu = datetime(2026, 3, 1, 18, 15, tzinfo=UTC)
    assert QuarterKeys(GroupBy.WEEKDAY, KATHMANDU).key_at(monday_in_kathmandu) == "0"
    assert QuarterKeys(GroupBy.HOUR, KATHMANDU).key_at(monday_in_kathmandu) == "0"
    assert QuarterKeys(GroupBy.WEEKDAY_HOUR, UTC_ZONE).key_at(monday_in_kathmandu) == str(6 * 24 + 18)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_cell_that_begins_as_a_formula_is_quoted(text: str) -> None:
    assert escape_cell(text) == f"'{text}"


def test_the_csv_has_a_line_for_each_row_and_no_formula() -> None:
    figures = sum_up([Fact(1, 7, 3, 1, NOW, rating=4)])
    period = Period(date(2026, 1, 2), date(2026, 1, 2), UTC_ZONE)
    rows = [ReportRow("9", figures, '=HYPERLINK("http://evil.test")'), ReportRow(None, figures)]
    report = Report(period, previous_period(period), GroupBy.OPERATOR, figures, figures, rows)
    header, first, second = list(csv.reader(io.StringIO(to_csv(report))))
    assert header[:3] == ["operator", "name", "chats"]
    assert first[:3] == ["9", '\'=HYPERLINK("http://evil.test")', "1"]
    assert second[:3] == ["", "", "1"]
    assert dict(zip(header, first, strict=True))["rating_average"] == "4.0"
