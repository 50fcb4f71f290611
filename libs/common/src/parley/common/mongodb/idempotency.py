"""First answers by idempotency key, kept for 24 hours."""

from __future__ import annotations

from datetime import timedelta

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.common.http.idempotency import IdempotencyKeyInUse, IdempotencyKeyReused, StoredResponse
from parley.common.mongodb.client import Mongo
from parley.common.mongodb.schema import Index
from parley.common.runtime.clock import Clock, utc_now

_KEEP = timedelta(hours=24)
_LEASE = timedelta(seconds=15)
"""For which a first try holds its key: a process that died in the middle must not hold it for a day."""


class MongoIdempotencyStore:
    """An IdempotencyStore in the service's own database."""

    indexes = (Index("idempotency", [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),)

    def __init__(self, mongo: Mongo, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._clock = clock

    async def begin(self, scope: str, fingerprint: str) -> StoredResponse | None:
        now = self._clock()
        fresh = {"fingerprint": fingerprint, "lease": now + _LEASE, "expires_at": now + _KEEP}
        keys = self._mongo["idempotency"]
        try:
            await keys.insert_one({"_id": scope, **fresh})
            return None
        except DuplicateKeyError:
            found = await keys.find_one({"_id": scope})
        if found is None or found["expires_at"] <= now:
            await keys.delete_one({"_id": scope, "expires_at": {"$lte": now}})
            return await self.begin(scope, fingerprint)
        if found["fingerprint"] != fingerprint:
            raise IdempotencyKeyReused
        if "status" in found:
            return StoredResponse(found["status"], found["body"])
        taken = await keys.find_one_and_update(
            {"_id": scope, "status": {"$exists": False}, "lease": {"$lte": now}},
            {"$set": fresh},
            return_document=ReturnDocument.AFTER,
        )
        if taken is None:
            raise IdempotencyKeyInUse
        return None

    async def finish(self, scope: str, saved: StoredResponse) -> None:
        await self._mongo["idempotency"].update_one(
            {"_id": scope}, {"$set": {"status": saved.status, "body": saved.body}}
        )

    async def abandon(self, scope: str) -> None:
        await self._mongo["idempotency"].delete_one({"_id": scope, "status": {"$exists": False}})
