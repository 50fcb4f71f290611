"""Events made by the database, inside the very update that finds the transition they tell of.

Only the update itself knows whether it is one: who was online already does not come online again. So updates here are
aggregation pipelines (mongodb.com/docs/manual/reference/method/db.collection.updateMany, "Update with Aggregation
Pipeline"), and an event is an expression over the record. Text from outside goes in as `$literal`: a `$` in it would
make a path of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from parley.common.events import Actor
from parley.common.events.envelope import SYSTEM
from parley.common.mongodb import Document, Mongo, Outbox
from parley.common.observability.logging import current_trace
from parley.common.runtime.clock import utc_now
from parley.presence import metrics

Expression = Any
Going = Callable[[str], list[Document]]
"""From a mark to the update that takes records offline."""

_BATCH = 1000
_TELL_SECONDS = 1.0
_DUPLICATE_KEY = 11000

NOTHING: Final = "$$REMOVE"


def literal(value: Any) -> Expression:
    """A value that is never read as a path."""
    return {"$literal": value}


def choose(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    """One of two expressions."""
    return {"$cond": [condition, then, otherwise]}


def kept(field: str, default: Any = None) -> Expression:
    """What the record has, or a default."""
    return {"$ifNull": [f"${field}", literal(default)]}


def either(old: Expression, new: Expression) -> Expression:
    """The later of two moments, one of which may be missing."""
    return {"$max": [old, new]}


def timestamp(field: str) -> Expression:
    """A moment as events carry it."""
    return {"$dateToString": {"date": f"${field}", "format": "%Y-%m-%dT%H:%M:%S.%LZ", "onNull": None}}


def new_mark() -> str:
    """What tells one write's events and changed records from any other's."""
    return uuid.uuid4().hex


def moment(at: datetime) -> Expression:
    """When a change happens: at that moment, but after the record's last change, whatever the replicas' clocks say.

    Who hears of two changes in the wrong order then still knows which was the later.
    """
    return {"$max": [at, {"$add": ["$changed_at", 1]}]}


def news(
    mark: str,
    kind: Expression,
    data: Mapping[str, Expression],
    *,
    session: Expression = None,
    actor: Actor = SYSTEM,
) -> Expression:
    """An outbox entry over the record as it is at that stage, with its `moment`.

    One a record and mark: the two make its id.
    """
    trace = current_trace()
    number = {"$concat": [mark, "-", "$_id"]}
    event = {
        "id": number,
        "type": kind,
        "tenant_id": "$tenant_id",
        "site_id": "$site_id",
        "conversation_id": kept("conversation_id"),
        "session": session,
        "occurred_at": timestamp("moment"),
        "actor": literal(actor.model_dump(mode="json")),
        "request_id": literal(trace.request_id),
        "traceparent": literal(trace.traceparent),
        "data": data,
    }
    return {"id": number, "at": "$moment", "event": event}


def told(
    condition: Expression, mark: str, entry: Expression, outbox: Expression | None = None
) -> dict[str, Expression]:
    """The fields that keep a change and its news, where the condition holds; else they stay as they are."""
    before = kept("outbox", [])
    return {
        "change": choose(condition, mark, "$change"),
        "changed_at": choose(condition, "$moment", "$changed_at"),
        "outbox": choose(condition, {"$concatArrays": [outbox or before, [entry]]}, before),
    }


async def write(mongo: Mongo, collection: str, operations: Sequence[UpdateOne]) -> int:
    """Write in any order; how many records were met or made.

    Two replicas may make the same record at once; the slower is refused, tries again and finds it.
    """
    try:
        result = await mongo[collection].bulk_write(operations, ordered=False)
    except BulkWriteError as exc:
        faults = exc.details["writeErrors"]
        if not faults or any(fault["code"] != _DUPLICATE_KEY for fault in faults):
            raise
        again = [operations[fault["index"]] for fault in faults]
        done: int = exc.details["nMatched"] + exc.details["nUpserted"]
        return done + await write(mongo, collection, again)
    return result.matched_count + result.upserted_count


async def tell(mongo: Mongo, outbox: Outbox, collection: str, keys: Sequence[str], mark: str) -> list[Document]:
    """Publish what records have to tell that a marked write changed; the records, with their `expires_at`."""
    changed = {"_id": {"$in": list(keys)}, "change": mark}
    found = [record async for record in mongo[collection].find(changed, {"outbox": 1, "expires_at": 1})]
    for record in found:
        outbox.tell(collection, record)
        for entry in record.get("outbox", ()):
            if entry["id"].startswith(mark):
                metrics.TRANSITIONS.labels(entry["event"]["type"]).inc()
    return found


async def expire(mongo: Mongo, outbox: Outbox, collection: str, at: datetime, pipeline: Going) -> int:
    """Take offline up to a thousand records whose time was over at a moment; how many were due.

    Every replica may try the same records at once: each is matched by one of the updates alone, because the first
    takes away what the others look for.
    """
    due = {"online": True, "expires_at": {"$lte": at}}
    cursor = mongo[collection].find(due, {"_id": 1}).sort("expires_at", 1).limit(_BATCH)
    keys = [record["_id"] async for record in cursor]
    if not keys:
        return 0
    mark = new_mark()
    await mongo[collection].update_many({"_id": {"$in": keys}, **due}, pipeline(mark))
    gone = await tell(mongo, outbox, collection, keys, mark)
    now = utc_now()
    for record in gone:
        metrics.OFFLINE_LATE.labels(collection).observe((now - record["expires_at"]).total_seconds())
    if len(keys) == _BATCH:
        # There is more. Whoever is found is to be announced now, so none is claimed much faster than told: the other
        # replicas share the rest. But the database finds the next while the broker takes these.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(outbox.told(left=_BATCH), _TELL_SECONDS)
    return len(keys)
