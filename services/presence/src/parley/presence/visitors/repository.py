"""Visitor records in MongoDB: one for each visitor of a site."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from pymongo import UpdateOne

from parley.common.errors import Unavailable
from parley.common.events.presence import OnlineVisitor
from parley.common.mongodb import Document, Index, Mongo, Outbox
from parley.presence.outbox_pipeline import new_write_id
from parley.presence.record_store import RecordStore
from parley.presence.timeouts import WIDGET_SIGHTING_INTERVAL, WIDGET_SIGHTING_RETENTION
from parley.presence.visitors.model import (
    ConversationSnapshot,
    Heartbeat,
    PageInfo,
    VisitorCursor,
    VisitorList,
    WidgetSighting,
    visitor_key,
)
from parley.presence.visitors.updates import (
    EPOCH,
    conversation_update,
    erase_update,
    offline_update,
    online_update,
    touch_update,
)

COLLECTION: Final = "visitors"
_SIGHTINGS: Final = "widget_sightings"
_ONLINE_ONLY = {"partialFilterExpression": {"online": True}}
INDEXES = (
    Index(COLLECTION, [("expires_at", 1)], {"name": "due", **_ONLINE_ONLY}),
    Index(COLLECTION, [("site_id", 1), ("since", -1), ("_id", -1)], {"name": "list", **_ONLINE_ONLY}),
    Index(COLLECTION, [("remove_at", 1)], {"name": "removal", "expireAfterSeconds": 0}),
    Index(
        _SIGHTINGS,
        [("seen_at", 1)],
        {"name": "removal", "expireAfterSeconds": int(WIDGET_SIGHTING_RETENTION.total_seconds())},
    ),
)
_CACHE_SIZE = 200_000
_MAX_CACHED_SITES = 20_000
_VISITOR_FIELDS = ("site_id", "page", "title", "referrer", "language", "since", "conversation_id")


class MongoVisitorRepository:
    """Implements `VisitorRepository` and `HeartbeatWriter`."""

    def __init__(self, mongo: Mongo, outbox: Outbox, retention: timedelta = timedelta(days=1)) -> None:
        """`retention`: how long the record of a visitor without an open conversation is kept."""
        self._mongo = mongo
        self._retention = retention
        self._store = RecordStore(mongo, outbox, COLLECTION)
        self._last_written: OrderedDict[str, tuple[str, datetime]] = OrderedDict()
        """The page fingerprint and the expiry that this process last wrote for each visitor.

        It predicts which heartbeats only extend the record. The write itself checks the prediction."""
        self._sighted: dict[int, datetime] = {}
        """When this process last stored that a site's widget was seen."""

    async def save_heartbeats(self, heartbeats: Sequence[Heartbeat]) -> None:
        # First, so that who learns that the visitor is online finds it.
        await self._save_sightings(heartbeats)
        fingerprints = {heartbeat.visitor_key: _fingerprint(heartbeat.page) for heartbeat in heartbeats}
        touches: list[Heartbeat] = []
        changes: list[Heartbeat] = []
        for heartbeat in heartbeats:
            unchanged = self._is_unchanged(heartbeat, fingerprints[heartbeat.visitor_key])
            (touches if unchanged else changes).append(heartbeat)
        await self._write(touches, changes, fingerprints)
        for heartbeat in heartbeats:
            key = heartbeat.visitor_key
            self._last_written[key] = (fingerprints[key], heartbeat.expires_at)
            self._last_written.move_to_end(key)
        while len(self._last_written) > _CACHE_SIZE:
            self._last_written.popitem(last=False)

    async def find_sighting(self, site_id: int) -> WidgetSighting | None:
        record = await self._mongo[_SIGHTINGS].find_one({"_id": site_id})
        return None if record is None else WidgetSighting(record["seen_at"], record["origin"])

    async def list_online(
        self, site_ids: Sequence[int], now: datetime, limit: int, after: VisitorCursor | None
    ) -> VisitorList:
        if not self._mongo.schema_ready.is_set():
            raise Unavailable
        filter_: Document = {"site_id": {"$in": list(site_ids)}, "online": True, "expires_at": {"$gt": now}}
        if after is not None:
            filter_["since"] = {"$lte": after.since}
            filter_["$nor"] = [{"since": after.since, "_id": {"$gte": after.visitor_key}}]
        cursor = self._mongo[COLLECTION].find(filter_, hint="list").sort([("since", -1), ("_id", -1)]).limit(limit + 1)
        records = [record async for record in cursor]
        has_more = len(records) > limit
        page = records[:limit]
        next_cursor = VisitorCursor(page[-1]["since"], page[-1]["_id"]) if has_more else None
        return VisitorList([_to_visitor(record) for record in page], next_cursor)

    async def is_online(self, site_id: int, session: str, now: datetime) -> bool:
        record = await self._mongo[COLLECTION].find_one(
            {"_id": visitor_key(site_id, session)}, {"online": 1, "expires_at": 1}
        )
        return record is not None and record["online"] and record["expires_at"] > now

    async def save_conversation(self, conversation: ConversationSnapshot, now: datetime) -> None:
        key = visitor_key(conversation.site_id, conversation.session)
        await self._store.bulk_write(
            [UpdateOne({"_id": key}, conversation_update(conversation, now, self._retention), upsert=True)]
        )

    async def expire_due(self, now: datetime) -> int:
        return await self._store.expire_due(now, lambda write_id: offline_update(write_id, now, self._retention))

    async def count_online(self, now: datetime) -> int:
        return await self._mongo[COLLECTION].count_documents({"online": True, "expires_at": {"$gt": now}})

    async def get_personal_data(self, site_id: int, session: str) -> Document | None:
        record = await self._mongo[COLLECTION].find_one({"_id": visitor_key(site_id, session)})
        if record is None or ("since" not in record and record.get("conversation_id") is None):
            return None
        visitor = _to_visitor(record).model_dump(mode="json") if "since" in record else {}
        return {**visitor, "online": record["online"], "conversation_id": record.get("conversation_id")}

    async def erase(self, site_id: int, session: str, now: datetime) -> None:
        key = visitor_key(site_id, session)
        write_id = new_write_id()
        self._last_written.pop(key, None)
        await self._store.bulk_write([UpdateOne({"_id": key}, erase_update(write_id, now))])
        await self._store.publish_changes([key], write_id)

    async def _save_sightings(self, heartbeats: Sequence[Heartbeat]) -> None:
        due = {
            heartbeat.site_id: heartbeat
            for heartbeat in heartbeats
            if heartbeat.origin
            and heartbeat.received_at - self._sighted.get(heartbeat.site_id, EPOCH) >= WIDGET_SIGHTING_INTERVAL
        }
        if not due:
            return
        await self._mongo[_SIGHTINGS].bulk_write(
            [
                UpdateOne(
                    {"_id": site_id},
                    {"$set": {"seen_at": heartbeat.received_at, "origin": heartbeat.origin}},
                    upsert=True,
                )
                for site_id, heartbeat in due.items()
            ],
            ordered=False,
        )
        if len(self._sighted) > _MAX_CACHED_SITES:
            self._sighted.clear()
        self._sighted.update((site_id, heartbeat.received_at) for site_id, heartbeat in due.items())

    def _is_unchanged(self, heartbeat: Heartbeat, fingerprint: str) -> bool:
        """Predict whether the visitor is online and still on the page that was written last."""
        last_written = self._last_written.get(heartbeat.visitor_key)
        if last_written is None:
            return False
        last_fingerprint, expires_at = last_written
        return last_fingerprint == fingerprint and expires_at > heartbeat.received_at

    async def _write(
        self, touches: Sequence[Heartbeat], changes: Sequence[Heartbeat], fingerprints: dict[str, str]
    ) -> None:
        """Write all heartbeats in one bulk write; write wrongly predicted touches again, as changes."""
        write_id = new_write_id()
        operations = [touch_update(heartbeat, fingerprints[heartbeat.visitor_key]) for heartbeat in touches]
        operations.extend(
            online_update(heartbeat, fingerprints[heartbeat.visitor_key], write_id) for heartbeat in changes
        )
        if not operations:
            return
        written = await self._store.bulk_write(operations)
        if changes:
            await self._store.publish_changes([heartbeat.visitor_key for heartbeat in changes], write_id)
        if written < len(operations):
            await self._write([], await self._find_unwritten(touches), fingerprints)

    async def _find_unwritten(self, heartbeats: Sequence[Heartbeat]) -> list[Heartbeat]:
        """Return the heartbeats that are neither written nor superseded by a newer one."""
        cursor = self._mongo[COLLECTION].find(
            {"_id": {"$in": [heartbeat.visitor_key for heartbeat in heartbeats]}, "online": True}, {"expires_at": 1}
        )
        expiries = {record["_id"]: record["expires_at"] async for record in cursor}
        return [
            heartbeat for heartbeat in heartbeats if expiries.get(heartbeat.visitor_key, EPOCH) < heartbeat.expires_at
        ]


def _to_visitor(record: Document) -> OnlineVisitor:
    return OnlineVisitor(session_id=record["session"], **{name: record.get(name) for name in _VISITOR_FIELDS})


@lru_cache(10_000)
def _fingerprint(page: PageInfo) -> str:
    """Return a short hash of the page, so that an update can match the same page in few bytes."""
    parts: tuple[Any, ...] = (page.url, page.title, page.referrer, page.language)
    return hashlib.blake2b(repr(parts).encode("utf-8", "replace"), digest_size=9).hexdigest()
