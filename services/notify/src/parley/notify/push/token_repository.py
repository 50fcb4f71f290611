"""Push tokens in MongoDB, by digest: the same token cannot be two operators'."""

from __future__ import annotations

from collections.abc import Iterable

from parley.common.mongodb import Document, Index, Mongo
from parley.notify.push.tokens import PushToken

_NAME = "push_tokens"

INDEXES = (Index(_NAME, [("operator_id", 1), ("registered_at", -1)], {"name": "operator"}),)


class MongoTokens:
    """A TokenStore."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def put(self, token: PushToken) -> None:
        document = {
            "token": token.token,
            "operator_id": token.operator_id,
            "tenant_id": token.tenant_id,
            "platform": token.platform,
            "language": token.language,
            "registered_at": token.registered_at,
        }
        await self._mongo[_NAME].update_one({"_id": token.digest}, {"$set": document}, upsert=True)

    async def keep_newest(self, operator_id: int, most: int) -> None:
        cursor = self._mongo[_NAME].find({"operator_id": operator_id}, {"_id": 1}).sort("registered_at", -1).skip(most)
        surplus = [row["_id"] async for row in cursor]
        if surplus:
            await self._mongo[_NAME].delete_many({"_id": {"$in": surplus}, "operator_id": operator_id})

    async def of(self, operator_id: int) -> list[PushToken]:
        cursor = self._mongo[_NAME].find({"operator_id": operator_id}).sort("registered_at", -1).limit(100)
        return [_token(row) async for row in cursor]

    async def owners(self, operator_ids: Iterable[int]) -> set[int]:
        found = await self._mongo[_NAME].distinct("operator_id", {"operator_id": {"$in": list(operator_ids)}})
        return set(found)

    async def remove(self, digest: str, operator_id: int) -> None:
        await self._mongo[_NAME].delete_one({"_id": digest, "operator_id": operator_id})

    async def remove_all(self, operator_id: int) -> None:
        await self._mongo[_NAME].delete_many({"operator_id": operator_id})


def _token(row: Document) -> PushToken:
    return PushToken(
        digest=row["_id"],
        token=row["token"],
        operator_id=row["operator_id"],
        tenant_id=row["tenant_id"],
        platform=row["platform"],
        language=row["language"],
        registered_at=row["registered_at"],
    )
