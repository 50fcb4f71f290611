"""One record for each operator and site: online until its time is over, or offline by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pymongo import UpdateOne

from parley.common.auth.identity import OperatorCaller
from parley.common.events import Actor
from parley.common.events.envelope import SYSTEM
from parley.common.events.presence import OperatorOffline, OperatorOnline
from parley.common.mongodb import Document, Index, Mongo, Outbox
from parley.presence import outbox_pipeline
from parley.presence.model import Standing
from parley.presence.outbox_pipeline import Expression, choose, either, kept, literal

COLLECTION: Final = "operators"
_ONLINE = {"partialFilterExpression": {"online": True}}
INDEXES = (
    Index(COLLECTION, [("expires_at", 1)], {"name": "due", **_ONLINE}),
    Index(COLLECTION, [("site_id", 1)], {"name": "site", **_ONLINE}),
    Index(COLLECTION, [("operator_id", 1)], {"name": "operator"}),
)
_DATA = {"operator_id": "$operator_id"}


class MongoOperators:
    """The domain's `OperatorRecords`."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox

    async def beat(self, caller: OperatorCaller, site_ids: Sequence[int], at: datetime, until: datetime) -> None:
        keys = [_key(site_id, caller.operator_id) for site_id in site_ids]
        # Nearly always the operator is online already, and this is all there is to do.
        steady = await self._mongo[COLLECTION].update_many(
            {"_id": {"$in": keys}, "online": True, "access_version": {"$not": {"$gt": caller.access_version}}},
            {"$max": {"expires_at": until}},
        )
        if steady.matched_count == len(keys):
            return
        mark = outbox_pipeline.new_mark()
        allowed = {"$and": [_current(caller), {"$ne": [kept("by_hand", default=False), True]}]}
        changes = [
            UpdateOne({"_id": key}, _online(caller, site_id, at, until, mark, allowed), upsert=True)
            for key, site_id in zip(keys, site_ids, strict=True)
        ]
        await outbox_pipeline.write(self._mongo, COLLECTION, changes)
        await outbox_pipeline.tell(self._mongo, self._outbox, COLLECTION, keys, mark)

    async def set(self, caller: OperatorCaller, site_id: int, at: datetime, until: datetime | None) -> Standing:
        mark = outbox_pipeline.new_mark()
        key = _key(site_id, caller.operator_id)
        if until is not None:
            change = _online(caller, site_id, at, until, mark, _current(caller))
        else:
            change = [_who(caller, site_id), {"$set": {"by_hand": True}}, *_offline(mark, at, _actor(caller))]
        await outbox_pipeline.write(self._mongo, COLLECTION, [UpdateOne({"_id": key}, change, upsert=True)])
        await outbox_pipeline.tell(self._mongo, self._outbox, COLLECTION, [key], mark)
        return (await self.standings(caller.operator_id, [site_id], at))[0]

    async def standings(self, operator_id: int, site_ids: Sequence[int], at: datetime) -> list[Standing]:
        keys = {site_id: _key(site_id, operator_id) for site_id in site_ids}
        cursor = self._mongo[COLLECTION].find({"_id": {"$in": list(keys.values())}}, {"online": 1, "expires_at": 1})
        records = {record["_id"]: record async for record in cursor}
        return [_standing(site_id, records.get(key), at) for site_id, key in keys.items()]

    async def online_on(self, site_id: int, at: datetime) -> list[int]:
        online = {"site_id": site_id, "online": True, "expires_at": {"$gt": at}}
        cursor = self._mongo[COLLECTION].find(online, {"operator_id": 1})
        return sorted([record["operator_id"] async for record in cursor])

    async def online_sites(self, tenant_id: int, operator_id: int) -> list[int]:
        theirs = {"operator_id": operator_id, "tenant_id": tenant_id, "online": True}
        return [record["site_id"] async for record in self._mongo[COLLECTION].find(theirs, {"site_id": 1})]

    async def outdate(self, tenant_id: int, operator_id: int, version: int) -> None:
        await self._mongo[COLLECTION].update_many(
            {"operator_id": operator_id, "tenant_id": tenant_id}, {"$max": {"access_version": version}}
        )

    async def remove(self, tenant_id: int, operator_id: int, site_ids: Sequence[int], at: datetime) -> None:
        mark = outbox_pipeline.new_mark()
        keys = [_key(site_id, operator_id) for site_id in site_ids]
        await self._mongo[COLLECTION].update_many(
            {"_id": {"$in": keys}, "tenant_id": tenant_id, "online": True}, _offline(mark, at)
        )
        await outbox_pipeline.tell(self._mongo, self._outbox, COLLECTION, keys, mark)

    async def expire(self, at: datetime) -> int:
        return await outbox_pipeline.expire(self._mongo, self._outbox, COLLECTION, at, lambda mark: _offline(mark, at))

    async def count(self, at: datetime) -> int:
        return await self._mongo[COLLECTION].count_documents({"online": True, "expires_at": {"$gt": at}})


def _online(
    caller: OperatorCaller, site_id: int, at: datetime, until: datetime, mark: str, allowed: Expression
) -> list[Document]:
    """Bring a record online where that is allowed; news where it was not online before."""
    comes = {"$and": ["$allowed", {"$not": ["$was"]}]}
    entry = outbox_pipeline.news(mark, OperatorOnline.type, _DATA, actor=_actor(caller))
    return [
        _who(caller, site_id),
        {"$set": {"allowed": allowed, "was": kept("online", default=False), "moment": outbox_pipeline.moment(at)}},
        {
            "$set": {
                "online": {"$or": ["$was", "$allowed"]},
                "by_hand": choose("$allowed", literal(False), "$by_hand"),
                "expires_at": choose("$allowed", either("$expires_at", until), kept("expires_at", at)),
                **outbox_pipeline.told(comes, mark, entry),
            }
        },
        {"$unset": ["allowed", "was", "moment"]},
    ]


def _offline(mark: str, at: datetime, actor: Actor = SYSTEM) -> list[Document]:
    """Take a record offline; news where it was online before."""
    was = kept("online", default=False)
    entry = outbox_pipeline.news(mark, OperatorOffline.type, _DATA, actor=actor)
    return [
        {"$set": {"moment": outbox_pipeline.moment(at)}},
        {"$set": outbox_pipeline.told(was, mark, entry)},
        {"$set": {"online": literal(False), "expires_at": {"$min": [kept("expires_at", at), at]}}},
        {"$unset": "moment"},
    ]


def _current(caller: OperatorCaller) -> Expression:
    """Whether the caller's access is no older than what was heard of the operator's."""
    return {"$lte": [kept("access_version", 0), caller.access_version]}


def _who(caller: OperatorCaller, site_id: int) -> Document:
    return {
        "$set": {
            "tenant_id": literal(caller.tenant_id),
            "site_id": literal(site_id),
            "operator_id": literal(caller.operator_id),
        }
    }


def _actor(caller: OperatorCaller) -> Actor:
    return Actor(kind="operator", id=caller.operator_id, name=caller.name)


def _key(site_id: int, operator_id: int) -> str:
    return f"{site_id}:{operator_id}"


def _standing(site_id: int, record: Document | None, at: datetime) -> Standing:
    online = record is not None and record["online"] and record["expires_at"] > at
    return Standing(site_id, bool(online), record["expires_at"] if record is not None and online else None)
