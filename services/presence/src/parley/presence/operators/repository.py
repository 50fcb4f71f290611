"""Operator records in MongoDB: one for each operator and site."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pymongo import UpdateOne

from parley.common.auth.identity import OperatorCaller
from parley.common.mongodb import Document, Index, Mongo, Outbox
from parley.presence.operators.model import OperatorStatus
from parley.presence.operators.updates import (
    heartbeat_update,
    offline_update,
    set_offline_update,
    set_online_update,
)
from parley.presence.outbox_pipeline import new_write_id
from parley.presence.record_store import RecordStore

COLLECTION: Final = "operators"
_ONLINE_ONLY = {"partialFilterExpression": {"online": True}}
INDEXES = (
    Index(COLLECTION, [("expires_at", 1)], {"name": "due", **_ONLINE_ONLY}),
    Index(COLLECTION, [("site_id", 1)], {"name": "site", **_ONLINE_ONLY}),
    Index(COLLECTION, [("operator_id", 1)], {"name": "operator"}),
)


class MongoOperatorRepository:
    """Implements `OperatorRepository`."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._store = RecordStore(mongo, outbox, COLLECTION)

    async def record_heartbeat(
        self, caller: OperatorCaller, site_ids: Sequence[int], now: datetime, expires_at: datetime
    ) -> None:
        keys = [_record_key(site_id, caller.operator_id) for site_id in site_ids]
        # Nearly always the operator is online on all the sites already, and this update is all there is to do.
        extended = await self._mongo[COLLECTION].update_many(
            {"_id": {"$in": keys}, "online": True, "access_version": {"$not": {"$gt": caller.access_version}}},
            {"$max": {"expires_at": expires_at}},
        )
        if extended.matched_count == len(keys):
            return
        write_id = new_write_id()
        updates = [
            UpdateOne({"_id": key}, heartbeat_update(caller, site_id, now, expires_at, write_id), upsert=True)
            for key, site_id in zip(keys, site_ids, strict=True)
        ]
        await self._store.bulk_write(updates)
        await self._store.publish_changes(keys, write_id)

    async def set_status(
        self, caller: OperatorCaller, site_id: int, now: datetime, expires_at: datetime | None
    ) -> OperatorStatus:
        write_id = new_write_id()
        key = _record_key(site_id, caller.operator_id)
        if expires_at is not None:
            update = set_online_update(caller, site_id, now, expires_at, write_id)
        else:
            update = set_offline_update(caller, site_id, now, write_id)
        await self._store.bulk_write([UpdateOne({"_id": key}, update, upsert=True)])
        await self._store.publish_changes([key], write_id)
        return (await self.get_statuses(caller.operator_id, [site_id], now))[0]

    async def get_statuses(self, operator_id: int, site_ids: Sequence[int], now: datetime) -> list[OperatorStatus]:
        keys = {site_id: _record_key(site_id, operator_id) for site_id in site_ids}
        cursor = self._mongo[COLLECTION].find({"_id": {"$in": list(keys.values())}}, {"online": 1, "expires_at": 1})
        records = {record["_id"]: record async for record in cursor}
        return [_to_status(site_id, records.get(key), now) for site_id, key in keys.items()]

    async def list_online_operators(self, site_id: int, now: datetime) -> list[int]:
        online = {"site_id": site_id, "online": True, "expires_at": {"$gt": now}}
        cursor = self._mongo[COLLECTION].find(online, {"operator_id": 1})
        return sorted([record["operator_id"] async for record in cursor])

    async def list_online_sites(self, tenant_id: int, operator_id: int) -> list[int]:
        online = {"operator_id": operator_id, "tenant_id": tenant_id, "online": True}
        return [record["site_id"] async for record in self._mongo[COLLECTION].find(online, {"site_id": 1})]

    async def set_min_access_version(self, tenant_id: int, operator_id: int, version: int) -> None:
        await self._mongo[COLLECTION].update_many(
            {"operator_id": operator_id, "tenant_id": tenant_id}, {"$max": {"access_version": version}}
        )

    async def set_offline(self, tenant_id: int, operator_id: int, site_ids: Sequence[int], now: datetime) -> None:
        write_id = new_write_id()
        keys = [_record_key(site_id, operator_id) for site_id in site_ids]
        await self._mongo[COLLECTION].update_many(
            {"_id": {"$in": keys}, "tenant_id": tenant_id, "online": True}, offline_update(write_id, now)
        )
        await self._store.publish_changes(keys, write_id)

    async def expire_due(self, now: datetime) -> int:
        return await self._store.expire_due(now, lambda write_id: offline_update(write_id, now))

    async def count_online(self, now: datetime) -> int:
        return await self._mongo[COLLECTION].count_documents({"online": True, "expires_at": {"$gt": now}})


def _record_key(site_id: int, operator_id: int) -> str:
    return f"{site_id}:{operator_id}"


def _to_status(site_id: int, record: Document | None, now: datetime) -> OperatorStatus:
    # An expired record counts as offline even before the sweep has found it.
    if record is None or not record["online"] or record["expires_at"] <= now:
        return OperatorStatus(site_id, online=False, expires_at=None)
    return OperatorStatus(site_id, online=True, expires_at=record["expires_at"])
