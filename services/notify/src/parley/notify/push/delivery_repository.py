"""Deliveries in MongoDB: one document per operator and conversation.

`due` exists only while notifications are pending. A claim moves it to the end of a lease, so that another replica takes
over if the sender dies. `handled` keeps event ids, so that a duplicate event is pushed once. The fields `calls` and
`told` hold the pending notifications and the notified devices. `shown_seq` is the seq of what was sent and is not read;
`close_due` exists while that is to be closed.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.common.mongodb import Document, Index, Mongo
from parley.common.observability.logging import TraceContext
from parley.common.runtime.clock import Clock, to_rfc3339
from parley.notify.push.model import PendingNotification, PushBacklog, PushClosing, PushDelivery
from parley.notify.push.triggers import PushTrigger
from parley.notify.timeouts import CLOSING_DELAY_SECONDS, DELIVERY_LEASE_SECONDS

_COLLECTION = "deliveries"
_LEASE = timedelta(seconds=DELIVERY_LEASE_SECONDS)
_CLOSING_DELAY = timedelta(seconds=CLOSING_DELAY_SECONDS)
_RETENTION = timedelta(hours=24)
_MAX_PENDING = 20
_MAX_HANDLED = 200
_MAX_COUNTED = 10_000

INDEXES = (
    Index(_COLLECTION, [("due", 1)], {"name": "due", "partialFilterExpression": {"due": {"$exists": True}}}),
    Index(
        _COLLECTION,
        [("close_due", 1)],
        {"name": "close_due", "partialFilterExpression": {"close_due": {"$exists": True}}},
    ),
    Index(_COLLECTION, [("conversation_id", 1)], {"name": "conversation"}),
    Index(_COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
)


class MongoDeliveryRepository:
    """The `DeliveryRepository` on MongoDB."""

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo = mongo
        self._clock = clock

    async def add(self, trigger: PushTrigger, operator_id: int, due: datetime) -> None:
        collection = self._mongo[_COLLECTION]
        query = {"_id": _delivery_id(operator_id, trigger.conversation_id), "handled": {"$ne": trigger.event_id}}
        update = _add_pipeline(trigger, operator_id, due, self._clock() + _RETENTION)
        try:
            await collection.update_one(query, update, upsert=True)
        except DuplicateKeyError:
            # Either the event is a duplicate, or another replica inserted the document first.
            await collection.update_one(query, update)

    async def cancel(self, conversation_id: int, operator_id: int | None, up_to_seq: int | None) -> None:
        query: Document = {
            "conversation_id": conversation_id,
            "$or": [{"due": {"$exists": True}}, {"shown_seq": {"$exists": True}}],
        }
        if operator_id is not None:
            query["_id"] = _delivery_id(operator_id, conversation_id)
        remaining: Any = []
        is_closed: Any = {"$ne": [{"$type": "$shown_seq"}, "missing"]}
        if up_to_seq is not None:
            remaining = {"$filter": {"input": "$calls", "as": "call", "cond": {"$gt": ["$$call.seq", up_to_seq]}}}
            is_closed = {"$and": [is_closed, {"$lte": ["$shown_seq", up_to_seq]}]}
        close = {
            "close_due": {"$cond": [is_closed, self._clock() + _CLOSING_DELAY, "$close_due"]},
            "shown_seq": {"$cond": [is_closed, "$$REMOVE", "$shown_seq"]},
        }
        await self._mongo[_COLLECTION].update_many(
            query, [{"$set": {"calls": remaining, **close}}, _REMOVE_DUE_IF_EMPTY]
        )

    async def claim_due(self, now: datetime) -> PushDelivery | None:
        row = await self._mongo[_COLLECTION].find_one_and_update(
            {"due": {"$lte": now}},
            {"$set": {"due": now + _LEASE, "claim": secrets.token_hex(8)}},
            sort=[("due", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return None if row is None else _to_delivery(row)

    async def take_closing(self, now: datetime) -> PushClosing | None:
        row = await self._mongo[_COLLECTION].find_one_and_update(
            {"close_due": {"$lte": now}}, {"$unset": {"close_due": ""}}, sort=[("close_due", 1)]
        )
        if row is None:
            return None
        return PushClosing(row["operator_id"], row["conversation_id"], frozenset(row.get("told", {})))

    async def measure_backlog(self, now: datetime) -> PushBacklog:
        due: Document = {"due": {"$lte": now}}
        in_hand: Document = {"due": {"$gt": now}, "claim": {"$exists": True}}
        oldest = await self._mongo[_COLLECTION].find_one(due, {"due": 1}, sort=[("due", 1)])
        count = await self._mongo[_COLLECTION].count_documents({"$or": [due, in_hand]}, limit=_MAX_COUNTED)
        return PushBacklog(count, 0.0 if oldest is None else (now - oldest["due"]).total_seconds())

    async def mark_sending(self, delivery: PushDelivery, devices: Mapping[str, int]) -> bool:
        result = await self._mongo[_COLLECTION].update_one(
            {"_id": delivery.id, "claim": delivery.claim_id, "calls.event_id": delivery.pending[-1].event_id},
            # What is sent now replaces what was to be closed.
            {"$set": {"shown_seq": delivery.pending[-1].seq, **_set_devices(devices)}, "$unset": {"close_due": ""}},
        )
        return result.matched_count == 1

    async def complete(self, delivery: PushDelivery, event_ids: Collection[str]) -> None:
        is_completed = {"$in": ["$$call.event_id", [*event_ids]]}
        remaining = {"$filter": {"input": "$calls", "as": "call", "cond": {"$not": is_completed}}}
        await self._mongo[_COLLECTION].update_one(
            {"_id": delivery.id, "claim": delivery.claim_id},
            [
                {"$set": {"calls": remaining}},
                {"$set": {"due": {"$min": "$calls.due"}, "attempts": 0}},
                {"$unset": "claim"},
                _REMOVE_DUE_IF_EMPTY,
            ],
        )

    async def reschedule(self, delivery: PushDelivery, due: datetime, devices: Mapping[str, int]) -> None:
        await self._mongo[_COLLECTION].update_one(
            {"_id": delivery.id, "claim": delivery.claim_id, "calls.0": {"$exists": True}},
            {"$set": {"due": due, **_set_devices(devices)}, "$inc": {"attempts": 1}, "$unset": {"claim": ""}},
        )

    async def find_stored(self, conversation_ids: Sequence[int]) -> list[Document]:
        cursor = self._mongo[_COLLECTION].find({"conversation_id": {"$in": list(conversation_ids)}})
        return [
            {
                "conversation_id": row["conversation_id"],
                "operator_id": row["operator_id"],
                "waiting": [
                    {"at": to_rfc3339(call["at"]), "kind": call["kind"], "name": call["name"], "text": call["text"]}
                    for call in row["calls"]
                ],
            }
            async for row in cursor
        ]

    async def delete_for_conversations(self, conversation_ids: Sequence[int]) -> None:
        await self._mongo[_COLLECTION].delete_many({"conversation_id": {"$in": list(conversation_ids)}})


_REMOVE_DUE_IF_EMPTY: Document = {
    "$set": {
        "due": {"$cond": [{"$eq": ["$calls", []]}, "$$REMOVE", "$due"]},
        "attempts": {"$cond": [{"$eq": ["$calls", []]}, 0, "$attempts"]},
    }
}


def _add_pipeline(trigger: PushTrigger, operator_id: int, due: datetime, expires_at: datetime) -> list[Document]:
    """Build the update that adds a notification.

    It keeps the lease of a claim and the time of a retry: the new notification is sent together with the others then.
    """
    count = {"$add": [{"$ifNull": ["$count", 0]}, 1]}
    call = {
        "event_id": trigger.event_id,
        "number": "$count",
        "kind": trigger.kind,
        "seq": trigger.seq,
        "name": {"$literal": trigger.visitor_name},
        "text": {"$literal": trigger.text},
        "at": trigger.occurred_at,
        "due": due,
        "trace": {"$literal": [trigger.trace.request_id, trigger.trace.traceparent]},
    }
    is_pending = {"$ne": [{"$type": "$due"}, "missing"]}
    is_claimed = {"$ne": [{"$type": "$claim"}, "missing"]}
    is_retried = {"$gt": ["$attempts", 0]}
    keeps_due = {"$and": [is_pending, {"$or": [is_claimed, is_retried]}]}
    return [
        {
            "$set": {
                "operator_id": operator_id,
                "tenant_id": trigger.tenant_id,
                "site_id": trigger.site_id,
                "conversation_id": trigger.conversation_id,
                "count": count,
                "attempts": {"$ifNull": ["$attempts", 0]},
                "told": {"$ifNull": ["$told", {}]},
                "expires_at": expires_at,
            }
        },
        {
            "$set": {
                "calls": _append("$calls", call, max_length=_MAX_PENDING),
                "handled": _append("$handled", trigger.event_id, max_length=_MAX_HANDLED),
                "due": {"$cond": [keeps_due, "$due", {"$min": ["$due", due]}]},
                "claim": {"$cond": [is_pending, "$claim", "$$REMOVE"]},
            }
        },
    ]


def _append(array: str, element: Any, *, max_length: int) -> Document:
    """Build the expression that appends to an array, which may be missing, and keeps its last elements."""
    return {"$slice": [{"$concatArrays": [{"$ifNull": [array, []]}, [element]]}, -max_length]}


def _set_devices(devices: Mapping[str, int]) -> dict[str, int]:
    return {f"told.{digest}": number for digest, number in devices.items()}


def _delivery_id(operator_id: int, conversation_id: int) -> str:
    return f"{operator_id}:{conversation_id}"


def _to_delivery(row: Document) -> PushDelivery:
    return PushDelivery(
        id=row["_id"],
        operator_id=row["operator_id"],
        tenant_id=row["tenant_id"],
        site_id=row["site_id"],
        conversation_id=row["conversation_id"],
        pending=tuple(
            PendingNotification(
                event_id=call["event_id"],
                number=call["number"],
                kind=call["kind"],
                seq=call["seq"],
                visitor_name=call["name"],
                text=call["text"],
                occurred_at=call["at"],
                # The previous version stored no trace.
                trace=TraceContext(*call.get("trace", ("", ""))),
            )
            for call in row["calls"]
        ),
        notified_devices=row["told"],
        attempts=row["attempts"],
        claim_id=row["claim"],
    )
