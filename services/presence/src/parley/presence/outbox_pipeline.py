"""Expressions of update pipelines that store an event in the same write that detects its transition.

Only the database knows whether a write is a transition: a visitor who is already online does not come online again. So
updates of presence are aggregation pipelines (mongodb.com/docs/manual/reference/method/db.collection.updateMany,
"Update with Aggregation Pipeline"), and an event is an expression over the record. Values from outside are wrapped in
`$literal`: without it, a `$` in a text would make it a field path.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from parley.common.events import Actor
from parley.common.events.envelope import SYSTEM
from parley.common.observability.logging import current_trace

Expression = Any

REMOVE: Final = "$$REMOVE"
"""In a `$set` stage: remove the field."""
EVENT_TIME: Final = "$event_time"
"""The time of the change, in a field that a stage of the pipeline sets and the last one removes."""


def literal(value: Any) -> Expression:
    """A constant, never read as a field path or an operator."""
    return {"$literal": value}


def cond(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    """`then` if the condition holds, else `otherwise`."""
    return {"$cond": [condition, then, otherwise]}


def field_or(field: str, default: Any = None) -> Expression:
    """The value of a field, or a constant if it is missing or null."""
    return {"$ifNull": [f"${field}", literal(default)]}


def max_of(first: Expression, second: Expression) -> Expression:
    """The larger of two values; a missing one is ignored."""
    return {"$max": [first, second]}


def iso_timestamp(date: Expression) -> Expression:
    """A date in the format of event timestamps; null if it is missing."""
    return {"$dateToString": {"date": date, "format": "%Y-%m-%dT%H:%M:%S.%LZ", "onNull": None}}


def new_write_id() -> str:
    """Create the id that marks the records and the events of one write."""
    return uuid.uuid4().hex


def change_time(now: datetime) -> Expression:
    """The time of a change: `now`, but always after the record's previous change, whatever the replicas' clocks say.

    Consumers that receive two events in the wrong order can still see which one is later.
    """
    return {"$max": [now, {"$add": ["$changed_at", 1]}]}


def event_expr(
    write_id: str,
    event_type: Expression,
    data: Mapping[str, Expression],
    *,
    session: Expression = None,
    actor: Actor = SYSTEM,
    at: Expression = EVENT_TIME,
) -> Expression:
    """An outbox entry built from the record. The event happened `at` a time that `change_time` gives.

    The event's id is the write's id and the record's id, so one write can store one event per record.
    """
    trace = current_trace()
    event_id = {"$concat": [write_id, "-", "$_id"]}
    event = {
        "id": event_id,
        "type": event_type,
        "tenant_id": "$tenant_id",
        "site_id": "$site_id",
        "conversation_id": field_or("conversation_id"),
        "session": session,
        "occurred_at": iso_timestamp(at),
        "actor": literal(actor.model_dump(mode="json")),
        "request_id": literal(trace.request_id),
        "traceparent": literal(trace.traceparent),
        "data": data,
    }
    return {"id": event_id, "at": at, "event": event}


def append_event_if(
    condition: Expression, write_id: str, entry: Expression, outbox: Expression | None = None
) -> dict[str, Expression]:
    """The fields that record a change and append its event where the condition holds; unchanged where it does not.

    The pipeline must have set the field `event_time`. `outbox` replaces the entries that the event is appended to.
    """
    current = field_or("outbox", [])
    return {
        "change": cond(condition, write_id, "$change"),
        "changed_at": cond(condition, EVENT_TIME, "$changed_at"),
        "outbox": cond(condition, {"$concatArrays": [outbox or current, [entry]]}, current),
    }


def append_event(write_id: str, entry: Expression, changed_at: Expression) -> dict[str, Expression]:
    """The fields that record a change at a time and append its event.

    Unlike `append_event_if` with a condition that always holds, it needs no stages before and after its own. Each stage
    of a pipeline costs the database a pass over the record.
    """
    return {
        "change": write_id,
        "changed_at": changed_at,
        "outbox": {"$concatArrays": [field_or("outbox", []), [entry]]},
    }
