"""Deliveries in MongoDB: one document per operator and conversation, claimed by moving its due time.

`due` stands only while something waits. A claim moves it to the end of a lease: whoever dies in between is
followed by another. `handled` remembers event ids, so that an event told twice is pushed once.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.common.mongodb import Document, Index, Mongo
from parley.common.observability.logging import Trace
from parley.common.runtime.clock import Clock, rfc3339
from parley.notify.push.delivery_service import Call, Delivery
from parley.notify.push.triggers import Occasion

_NAME = "deliveries"
_LEASE = timedelta(seconds=60)
_KEEP = timedelta(hours=24)
_MOST_CALLS = 20
_MOST_HANDLED = 200

INDEXES = (
    Index(_NAME, [("due", 1)], {"name": "due", "partialFilterExpression": {"due": {"$exists": True}}}),
    Index(_NAME, [("conversation_id", 1)], {"name": "conversation"}),
    Index(_NAME, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
)


class MongoDeliveries:
    """A DeliveryStore."""

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo = mongo
        self._clock = clock

    async def call(self, occasion: Occasion, operator_id: int, due: datetime) -> None:
        deliveries = self._mongo[_NAME]
        name = _id(operator_id, occasion.conversation_id)
        try:
            await deliveries.update_one(
                {"_id": name, "handled": {"$ne": occasion.event_id}},
                _adding(occasion, operator_id, due, self._clock() + _KEEP),
                upsert=True,
            )
        except DuplicateKeyError:
            # It has handled this event before; or two replicas began the document at once, and this one lost.
            await deliveries.update_one(
                {"_id": name, "handled": {"$ne": occasion.event_id}},
                _adding(occasion, operator_id, due, self._clock() + _KEEP),
            )

    async def settle(self, conversation_id: int, operator_id: int | None, seq: int | None) -> None:
        which: Document = {"conversation_id": conversation_id, "due": {"$exists": True}}
        if operator_id is not None:
            which["_id"] = _id(operator_id, conversation_id)
        left: Any = []
        if seq is not None:
            left = {"$filter": {"input": "$calls", "as": "call", "cond": {"$gt": ["$$call.seq", seq]}}}
        await self._mongo[_NAME].update_many(which, [{"$set": {"calls": left}}, _WITHOUT_DUE_IF_EMPTY])

    async def claim(self, now: datetime) -> Delivery | None:
        claim = secrets.token_hex(8)
        row = await self._mongo[_NAME].find_one_and_update(
            {"due": {"$lte": now}},
            {"$set": {"due": now + _LEASE, "claim": claim}},
            sort=[("due", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return None if row is None else _delivery(row)

    async def telling(self, delivery: Delivery, told: Mapping[str, int]) -> bool:
        done = await self._mongo[_NAME].update_one(
            {"_id": delivery.id, "claim": delivery.claim, "calls.event_id": delivery.calls[-1].event_id},
            {"$set": {f"told.{digest}": number for digest, number in told.items()}},
        )
        return done.matched_count == 1

    async def finish(self, delivery: Delivery, calls: Collection[str]) -> None:
        left = {"$filter": {"input": "$calls", "as": "call", "cond": {"$not": {"$in": ["$$call.event_id", [*calls]]}}}}
        newer = {"$min": "$calls.due"}
        await self._mongo[_NAME].update_one(
            {"_id": delivery.id, "claim": delivery.claim},
            [
                {"$set": {"calls": left}},
                {"$set": {"due": newer, "attempts": 0}},
                {"$unset": "claim"},
                _WITHOUT_DUE_IF_EMPTY,
            ],
        )

    async def postpone(self, delivery: Delivery, due: datetime, told: Mapping[str, int]) -> None:
        back = {f"told.{digest}": number for digest, number in told.items()}
        await self._mongo[_NAME].update_one(
            {"_id": delivery.id, "claim": delivery.claim, "calls.0": {"$exists": True}},
            {"$set": {"due": due, **back}, "$inc": {"attempts": 1}, "$unset": {"claim": ""}},
        )

    async def kept(self, conversation_ids: Sequence[int]) -> list[Document]:
        cursor = self._mongo[_NAME].find({"conversation_id": {"$in": list(conversation_ids)}})
        return [
            {
                "conversation_id": row["conversation_id"],
                "operator_id": row["operator_id"],
                "waiting": [
                    {"at": rfc3339(call["at"]), "kind": call["kind"], "name": call["name"], "text": call["text"]}
                    for call in row["calls"]
                ],
            }
            async for row in cursor
        ]

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        await self._mongo[_NAME].delete_many({"conversation_id": {"$in": list(conversation_ids)}})


_WITHOUT_DUE_IF_EMPTY: Document = {
    "$set": {
        "due": {"$cond": [{"$eq": ["$calls", []]}, "$$REMOVE", "$due"]},
        "attempts": {"$cond": [{"$eq": ["$calls", []]}, 0, "$attempts"]},
    }
}


def _adding(occasion: Occasion, operator_id: int, due: datetime, expires_at: datetime) -> list[Document]:
    """One more call. A claim's lease and a retry's time are left as they are: what is new goes along then."""
    count = {"$add": [{"$ifNull": ["$count", 0]}, 1]}
    call = {
        "event_id": occasion.event_id,
        "number": "$count",
        "kind": occasion.kind,
        "seq": occasion.seq,
        "name": {"$literal": occasion.name},
        "text": {"$literal": occasion.text},
        "at": occasion.at,
        "due": due,
        "trace": {"$literal": [occasion.trace.request_id, occasion.trace.traceparent]},
    }
    waiting = {"$ne": [{"$type": "$due"}, "missing"]}
    held = {"$and": [waiting, {"$or": [{"$ne": [{"$type": "$claim"}, "missing"]}, {"$gt": ["$attempts", 0]}]}]}
    return [
        {
            "$set": {
                "operator_id": operator_id,
                "tenant_id": occasion.tenant_id,
                "site_id": occasion.site_id,
                "conversation_id": occasion.conversation_id,
                "count": count,
                "attempts": {"$ifNull": ["$attempts", 0]},
                "told": {"$ifNull": ["$told", {}]},
                "expires_at": expires_at,
            }
        },
        {
            "$set": {
                "calls": {"$slice": [{"$concatArrays": [{"$ifNull": ["$calls", []]}, [call]]}, -_MOST_CALLS]},
                "handled": {
                    "$slice": [{"$concatArrays": [{"$ifNull": ["$handled", []]}, [occasion.event_id]]}, -_MOST_HANDLED]
                },
                "due": {"$cond": [held, "$due", {"$min": ["$due", due]}]},
                "claim": {"$cond": [waiting, "$claim", "$$REMOVE"]},
            }
        },
    ]


def _id(operator_id: int, conversation_id: int) -> str:
    return f"{operator_id}:{conversation_id}"


def _delivery(row: Document) -> Delivery:
    return Delivery(
        id=row["_id"],
        operator_id=row["operator_id"],
        tenant_id=row["tenant_id"],
        site_id=row["site_id"],
        conversation_id=row["conversation_id"],
        calls=tuple(
            Call(
                event_id=call["event_id"],
                number=call["number"],
                kind=call["kind"],
                seq=call["seq"],
                name=call["name"],
                text=call["text"],
                at=call["at"],
                # Calls of the version before have none.
                trace=Trace(*call.get("trace", ("", ""))),
            )
            for call in row["calls"]
        ),
        told=row["told"],
        attempts=row["attempts"],
        claim=row["claim"],
    )
