"""To whom triggers were shown, and the counts of each day, in MongoDB. The triggers are part of their site."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Literal

from pymongo.errors import DuplicateKeyError

from parley.chat.triggers.model import ShownTrigger, Step, TriggerCounts
from parley.chat.triggers.timeouts import COUNTS_LIFETIME, SHOWN_LIFETIME
from parley.chat.visitors.model import DataSubject
from parley.common.events.schemas import QuickReply
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "shown_triggers"
DAYS = "trigger_days"

INDEXES = [
    Index(COLLECTION, [("site_id", 1), ("session", 1), ("trigger_id", 1)], {"name": "of_visitor", "unique": True}),
    Index(COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
    Index(DAYS, [("site_id", 1), ("day", 1), ("trigger_id", 1)], {"name": "day", "unique": True}),
    Index(DAYS, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
]


class MongoShownTriggers:
    """Implements ShownTriggers."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def record_shown(self, visitor: DataSubject, shown: ShownTrigger, not_since: datetime | None) -> bool:
        key = _key(visitor, shown.trigger_id)
        day = shown.shown_at.date().isoformat()
        fields: Document = {
            "tenant_id": visitor.tenant_id,
            "message": shown.message,
            "quick_replies": [reply.model_dump() for reply in shown.quick_replies],
            "shown_at": shown.shown_at,
            "expires_at": shown.shown_at + SHOWN_LIFETIME,
            "day": day,
        }
        # Opened and answered count once for each day on which the visitor is counted.
        kept = {name: {"$and": [{"$eq": ["$day", day]}, f"${name}"]} for name in ("opened", "answered")}
        update = [{"$set": {**{name: {"$literal": value} for name, value in fields.items()}, **kept}}]
        # A document that was shown since is not found, and the insert in its place fails.
        query = {**key, "shown_at": {"$lte": not_since or datetime.fromtimestamp(0, UTC)}}
        try:
            before = await self._mongo[COLLECTION].find_one_and_update(query, update, {"day": 1}, upsert=True)
        except DuplicateKeyError:
            return False
        if before is None or before["day"] != day:
            await self._count(visitor, shown.trigger_id, day, "shown")
        return True

    async def record_opened(self, visitor: DataSubject, trigger_id: int) -> bool:
        return await self._record(visitor, trigger_id, "opened")

    async def record_answered(self, visitor: DataSubject, trigger_id: int) -> bool:
        return await self._record(visitor, trigger_id, "answered")

    async def _record(self, visitor: DataSubject, trigger_id: int, step: Literal["opened", "answered"]) -> bool:
        query = {**_key(visitor, trigger_id), step: {"$ne": True}}
        before = await self._mongo[COLLECTION].find_one_and_update(query, {"$set": {step: True}}, {"day": 1})
        if before is None:
            return False
        # On the day on which it was shown: no rate is above 100 %.
        await self._count(visitor, trigger_id, before["day"], step)
        return True

    async def _count(self, visitor: DataSubject, trigger_id: int, day: str, step: Step) -> None:
        expires_at = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) + COUNTS_LIFETIME
        await self._mongo[DAYS].update_one(
            {"site_id": visitor.site_id, "day": day, "trigger_id": trigger_id},
            {"$inc": {step: 1}, "$setOnInsert": {"tenant_id": visitor.tenant_id, "expires_at": expires_at}},
            upsert=True,
        )

    async def find(self, visitor: DataSubject, trigger_id: int, since: datetime) -> ShownTrigger | None:
        query = {**_key(visitor, trigger_id), "shown_at": {"$gte": since}}
        document = await self._mongo[COLLECTION].find_one(query)
        return None if document is None else to_shown_trigger(document)

    async def list_counts(self, site_id: int, since: date) -> Sequence[TriggerCounts]:
        rows = self._mongo[DAYS].find({"site_id": site_id, "day": {"$gte": since.isoformat()}})
        return [_to_counts(row) async for row in rows.sort([("day", 1), ("trigger_id", 1)])]


def to_shown_trigger(document: Document) -> ShownTrigger:
    opened, answered = bool(document.get("opened")), bool(document.get("answered"))
    # Earlier versions stored no quick replies.
    replies = tuple(QuickReply.model_validate(reply) for reply in document.get("quick_replies", ()))
    return ShownTrigger(document["trigger_id"], document["message"], document["shown_at"], opened, answered, replies)


def _to_counts(row: Document) -> TriggerCounts:
    steps = (row.get(step, 0) for step in ("shown", "opened", "answered"))
    return TriggerCounts(row["trigger_id"], date.fromisoformat(row["day"]), *steps)


def _key(visitor: DataSubject, trigger_id: int) -> Document:
    return {"site_id": visitor.site_id, "session": visitor.session, "trigger_id": trigger_id}
