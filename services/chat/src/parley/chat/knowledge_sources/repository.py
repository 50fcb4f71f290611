"""Knowledge sources and their syncs in MongoDB. A sync is a lease in its source's document."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument

from parley.chat.knowledge_sources.errors import SourceNotFound, TooManySources
from parley.chat.knowledge_sources.model import INTERVALS, Source, SourceOptions, SyncError, SyncProgress, SyncState
from parley.chat.knowledge_sources.ports import ClaimedSync
from parley.chat.mongo_limits import stay_within
from parley.chat.newer_documents import known_fields, with_unknown_fields
from parley.common.mongodb import Document, Index, Mongo
from parley.common.runtime.clock import Clock

COLLECTION = "knowledge_sources"
_REMOVAL_BATCH = 20

INDEXES = [
    Index(COLLECTION, [("tenant_id", 1), ("site_id", 1), ("_id", 1)], {"name": "of_site"}),
    Index(COLLECTION, [("due", 1)], {"name": "due", "partialFilterExpression": {"due": {"$type": "date"}}}),
    Index(COLLECTION, [("uploads.at", 1)], {"name": "uploads", "sparse": True}),
    Index(
        COLLECTION,
        [("deleted_at", 1)],
        {"name": "deleted", "partialFilterExpression": {"deleted_at": {"$type": "date"}}},
    ),
]


class MongoSourceRepository:
    """A SourceRepository."""

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo = mongo
        self._clock = clock

    async def list_page(self, tenant_id: int, site_id: int, after: int, limit: int) -> list[Source]:
        query = {"tenant_id": tenant_id, "site_id": site_id, "deleted_at": None, "_id": {"$gt": after}}
        cursor = self._mongo[COLLECTION].find(query, limit=limit)
        return [self._to_source(row) async for row in cursor.sort("_id", 1)]

    async def get(self, tenant_id: int, site_id: int, source_id: int) -> Source:
        query = {"_id": source_id, "tenant_id": tenant_id, "site_id": site_id, "deleted_at": None}
        row = await self._mongo[COLLECTION].find_one(query)
        if row is None:
            raise SourceNotFound
        return self._to_source(row)

    async def add(self, source: Source, limit: int) -> None:
        row: Document = {
            "_id": source.id,
            "tenant_id": source.tenant_id,
            "site_id": source.site_id,
            "kind": source.kind,
            "options": asdict(source.options),
            "created_at": source.created_at,
            "sync": {"run": 0, "running": False},
        }
        if source.sync.next_at is not None:
            row["due"] = source.sync.next_at
        group = {"tenant_id": source.tenant_id, "site_id": source.site_id, "deleted_at": None}
        async with stay_within(self._mongo, COLLECTION, group, [source.id], limit, TooManySources):
            await self._mongo[COLLECTION].insert_one(row)

    async def update(self, source: Source, options: SourceOptions, next_at: datetime | None) -> None:
        query = {"_id": source.id, "tenant_id": source.tenant_id, "deleted_at": None}
        fields = await with_unknown_fields(
            self._mongo,
            COLLECTION,
            query,
            lambda row: {"options": asdict(self._to_source(row).options)},
            {"options": asdict(options)},
        )
        # A sync that runs sets its own time when it ends, by the schedule that is stored here.
        due = "$$REMOVE" if next_at is None else next_at
        change = {
            "options": {"$literal": fields["options"]},
            "due": {"$cond": [{"$eq": ["$sync.running", True]}, "$due", due]},
        }
        result = await self._mongo[COLLECTION].update_one(query, [{"$set": change}])
        if not result.matched_count:
            raise SourceNotFound

    async def mark_deleted(self, source: Source, at: datetime) -> bool:
        query = {"_id": source.id, "tenant_id": source.tenant_id, "deleted_at": None}
        update = {"$set": {"deleted_at": at}, "$unset": {"due": ""}}
        return bool((await self._mongo[COLLECTION].update_one(query, update)).matched_count)

    async def request_sync(self, source_id: int, at: datetime) -> bool:
        query = {"_id": source_id, "deleted_at": None, "sync.running": {"$ne": True}}
        return bool((await self._mongo[COLLECTION].update_one(query, {"$set": {"due": at}})).matched_count)

    async def claim(self, now: datetime, until: datetime) -> ClaimedSync | None:
        lease_id = secrets.token_hex(8)
        running = {"$eq": ["$sync.running", True]}
        continued = {"$mergeObjects": ["$sync", {"continued": {"$add": ["$sync.continued", 1]}}]}
        begun = {
            "run": {"$add": ["$sync.run", 1]},
            "running": True,
            "started_at": now,
            "finished_at": "$sync.finished_at",
            "error": None,
            "discovered": False,
            "continued": 0,
        }
        row = await self._mongo[COLLECTION].find_one_and_update(
            {"due": {"$lte": now, "$type": "date"}, "lease_until": {"$not": {"$gt": now}}},
            [
                {
                    "$set": {
                        "lease_id": lease_id,
                        "lease_until": until,
                        "sync": {"$cond": [running, continued, begun]},
                    }
                }
            ],
            sort=[("due", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return None if row is None else ClaimedSync(self._to_source(row), lease_id)

    async def renew(self, claimed: ClaimedSync, until: datetime) -> bool:
        query = {**_held(claimed), "deleted_at": None}
        result = await self._mongo[COLLECTION].update_one(query, {"$set": {"lease_until": until}})
        return result.matched_count == 1

    async def mark_discovered(self, claimed: ClaimedSync) -> None:
        await self._mongo[COLLECTION].update_one(_held(claimed), {"$set": {"sync.discovered": True}})

    async def postpone(self, claimed: ClaimedSync, until: datetime) -> None:
        update = {"$set": {"due": until}, "$unset": {"lease_id": "", "lease_until": ""}}
        await self._mongo[COLLECTION].update_one({**_held(claimed), "deleted_at": None}, update)

    async def finish(self, claimed: ClaimedSync, error: SyncError | None, now: datetime) -> None:
        milliseconds = {
            "$switch": {
                "branches": [
                    {"case": {"$eq": ["$options.schedule", name]}, "then": interval.total_seconds() * 1000}
                    for name, interval in INTERVALS.items()
                ],
                "default": None,
            }
        }
        scheduled = {"$and": [{"$eq": ["$options.enabled", True]}, {"$ne": ["$options.schedule", "manual"]}]}
        change = {
            "sync.running": False,
            "sync.finished_at": now,
            "sync.error": None if error is None else {"$literal": asdict(error)},
            "due": {"$cond": [scheduled, {"$add": [now, milliseconds]}, "$$REMOVE"]},
            "lease_id": "$$REMOVE",
            "lease_until": "$$REMOVE",
        }
        await self._mongo[COLLECTION].update_one({**_held(claimed), "deleted_at": None}, [{"$set": change}])

    async def begin_upload(self, source: Source, object_name: str, at: datetime) -> None:
        update = {"$push": {"uploads": {"object_name": object_name, "at": at}}}
        await self._mongo[COLLECTION].update_one({"_id": source.id}, update)

    async def end_upload(self, source_id: int, object_name: str) -> None:
        update = {"$pull": {"uploads": {"object_name": object_name}}}
        await self._mongo[COLLECTION].update_one({"_id": source_id}, update)

    async def list_uploads(self, before: datetime) -> Sequence[tuple[int, str]]:
        rows = self._mongo[COLLECTION].find({"uploads.at": {"$lt": before}}, {"uploads": 1}, limit=_REMOVAL_BATCH)
        return [
            (row["_id"], upload["object_name"])
            async for row in rows
            for upload in row["uploads"]
            if upload["at"] < before
        ]

    async def list_deleted(self, now: datetime) -> Sequence[Source]:
        query: Document = {"deleted_at": {"$type": "date"}, "lease_until": {"$not": {"$gt": now}}}
        # What an upload has stored is found by it.
        query["uploads"] = {"$in": [None, []]}
        rows = self._mongo[COLLECTION].find(query, limit=_REMOVAL_BATCH)
        return [self._to_source(row) async for row in rows]

    async def list_sites(self) -> Sequence[tuple[int, int]]:
        group = {"$group": {"_id": {"tenant_id": "$tenant_id", "site_id": "$site_id"}}}
        cursor = await self._mongo[COLLECTION].aggregate(
            [{"$sort": {"tenant_id": 1, "site_id": 1}}, group], hint="of_site"
        )
        return [(row["_id"]["tenant_id"], row["_id"]["site_id"]) async for row in cursor]

    async def mark_site_deleted(self, tenant_id: int, site_id: int, at: datetime) -> None:
        query = {"tenant_id": tenant_id, "site_id": site_id, "deleted_at": None}
        update = {"$set": {"deleted_at": at}, "$unset": {"due": ""}}
        await self._mongo[COLLECTION].update_many(query, update)

    async def remove(self, source_id: int) -> None:
        await self._mongo[COLLECTION].delete_one({"_id": source_id, "deleted_at": {"$type": "date"}})

    def _to_source(self, row: Document) -> Source:
        return Source(
            id=row["_id"],
            tenant_id=row["tenant_id"],
            site_id=row["site_id"],
            kind=row["kind"],
            options=SourceOptions(**known_fields(SourceOptions, row["options"])),
            created_at=row["created_at"],
            sync=self._to_progress(row),
        )

    def _to_progress(self, row: Document) -> SyncProgress:
        sync: dict[str, Any] = row["sync"]
        due = row.get("due")
        state: SyncState = "idle"
        if sync["running"]:
            state = "running"
        elif due is not None and due <= self._clock():
            state = "waiting"
        error = sync.get("error")
        return SyncProgress(
            run=sync["run"],
            state=state,
            started_at=sync.get("started_at"),
            finished_at=sync.get("finished_at"),
            next_at=due,
            error=None if error is None else SyncError(error["code"], error["message"]),
            discovered=sync.get("discovered", False),
            continued=sync.get("continued", 0),
        )


def _held(claimed: ClaimedSync) -> Document:
    return {"_id": claimed.source.id, "lease_id": claimed.lease_id}
