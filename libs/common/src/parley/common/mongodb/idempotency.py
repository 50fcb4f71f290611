"""Stores the first response per idempotency key for 24 hours."""

from __future__ import annotations

from datetime import timedelta

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.common.http.idempotency import IdempotencyKeyInUse, IdempotencyKeyReused, StoredResponse
from parley.common.mongodb.client import Mongo
from parley.common.mongodb.schema import Index
from parley.common.mongodb.timeouts import IDEMPOTENCY_LEASE
from parley.common.runtime.clock import Clock, utc_now

_RETENTION = timedelta(hours=24)


class MongoIdempotencyStore:
    """An IdempotencyStore in the service's own database."""

    indexes = (Index("idempotency", [("expires_at", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),)

    def __init__(self, mongo: Mongo, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._clock = clock

    async def begin(self, scope: str, fingerprint: str) -> StoredResponse | None:
        now = self._clock()
        claim = {"fingerprint": fingerprint, "lease": now + IDEMPOTENCY_LEASE, "expires_at": now + _RETENTION}
        keys = self._mongo["idempotency"]
        try:
            await keys.insert_one({"_id": scope, **claim})
            return None
        except DuplicateKeyError:
            stored = await keys.find_one({"_id": scope})
        if stored is None or stored["expires_at"] <= now:
            await keys.delete_one({"_id": scope, "expires_at": {"$lte": now}})
            return await self.begin(scope, fingerprint)
        if stored["fingerprint"] != fingerprint:
            raise IdempotencyKeyReused
        if "status" in stored:
            return StoredResponse(stored["status"], stored["body"])
        claimed = await keys.find_one_and_update(
            {"_id": scope, "status": {"$exists": False}, "lease": {"$lte": now}},
            {"$set": claim},
            return_document=ReturnDocument.AFTER,
        )
        if claimed is None:
            raise IdempotencyKeyInUse
        return None

    async def renew(self, scope: str) -> None:
        await self._mongo["idempotency"].update_one(
            {"_id": scope, "status": {"$exists": False}}, {"$set": {"lease": self._clock() + IDEMPOTENCY_LEASE}}
        )

    async def finish(self, scope: str, response: StoredResponse) -> None:
        await self._mongo["idempotency"].update_one(
            {"_id": scope}, {"$set": {"status": response.status, "body": response.body}}
        )

    async def abandon(self, scope: str) -> None:
        await self._mongo["idempotency"].delete_one({"_id": scope, "status": {"$exists": False}})
