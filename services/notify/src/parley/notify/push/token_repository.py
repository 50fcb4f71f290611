"""Push tokens in MongoDB. The digest is the id, so one token cannot belong to two operators."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from pymongo import UpdateOne

from parley.common.mongodb import Document, Index, Mongo
from parley.notify.push.model import DeviceKind, DeviceResult, PushReceipt, PushToken, SubscriptionKeys

_COLLECTION = "push_tokens"
_MAX_TOKENS_READ = 100

INDEXES = (Index(_COLLECTION, [("operator_id", 1), ("registered_at", -1)], {"name": "operator"}),)


class MongoPushTokenRepository:
    """The `PushTokenRepository` on MongoDB. `kinds` are those that a provider is configured for."""

    def __init__(self, mongo: Mongo, kinds: Collection[DeviceKind]) -> None:
        self._mongo = mongo
        self._kinds = frozenset(kinds)

    async def upsert(self, token: PushToken) -> None:
        document = {
            "token": token.token,
            "operator_id": token.operator_id,
            "tenant_id": token.tenant_id,
            "platform": token.platform,
            "language": token.language,
            "registered_at": token.registered_at,
            "login": token.login,
            "name": token.name,
            "keys": {"p256dh": token.keys.p256dh, "auth": token.keys.auth} if token.keys is not None else None,
        }
        await self._mongo[_COLLECTION].update_one({"_id": token.digest}, {"$set": document}, upsert=True)

    async def delete_oldest(self, operator_id: int, max_tokens: int) -> None:
        cursor = (
            self._mongo[_COLLECTION]
            .find({"operator_id": operator_id}, {"_id": 1})
            .sort("registered_at", -1)
            .skip(max_tokens)
        )
        surplus = [row["_id"] async for row in cursor]
        if surplus:
            await self._mongo[_COLLECTION].delete_many({"_id": {"$in": surplus}, "operator_id": operator_id})

    async def get_for_operator(self, operator_id: int) -> list[PushToken]:
        cursor = (
            self._mongo[_COLLECTION]
            .find({"operator_id": operator_id})
            .sort("registered_at", -1)
            .limit(_MAX_TOKENS_READ)
        )
        return [_to_token(row) async for row in cursor]

    async def filter_with_tokens(self, operator_ids: Iterable[int]) -> set[int]:
        query: Document = {"operator_id": {"$in": list(operator_ids)}}
        if len(self._kinds) == 1:
            # Null matches a missing field too: the previous version knew FCM only.
            query["keys"] = {"$ne": None} if "web_push" in self._kinds else None
        return set(await self._mongo[_COLLECTION].distinct("operator_id", query))

    async def record_results(self, operator_id: int, receipts: Mapping[str, PushReceipt], at: datetime) -> None:
        updates = [
            UpdateOne({"_id": digest, "operator_id": operator_id}, {"$set": {"last_result": _result_row(receipt, at)}})
            for digest, receipt in receipts.items()
        ]
        if updates:
            await self._mongo[_COLLECTION].bulk_write(updates, ordered=False)

    async def delete(self, digest: str, operator_id: int) -> None:
        await self._mongo[_COLLECTION].delete_one({"_id": digest, "operator_id": operator_id})

    async def delete_ended(self, tokens: Iterable[PushToken]) -> None:
        # A token that another login has registered since stays. Null matches a missing field too.
        for token in tokens:
            query = {"_id": token.digest, "operator_id": token.operator_id, "login": token.login}
            await self._mongo[_COLLECTION].delete_one(query)

    async def delete_all(self, operator_id: int) -> None:
        await self._mongo[_COLLECTION].delete_many({"operator_id": operator_id})


def _to_token(row: Document) -> PushToken:
    keys, result = row.get("keys"), row.get("last_result")
    return PushToken(
        digest=row["_id"],
        token=row["token"],
        operator_id=row["operator_id"],
        tenant_id=row["tenant_id"],
        platform=row["platform"],
        language=row["language"],
        registered_at=row["registered_at"],
        # The previous version stored no login.
        login=row.get("login"),
        keys=SubscriptionKeys(bytes(keys["p256dh"]), bytes(keys["auth"])) if keys is not None else None,
        name=row.get("name", ""),
        last_result=DeviceResult(**result) if result is not None else None,
    )


def _result_row(receipt: PushReceipt, at: datetime) -> Document:
    return {
        "at": at,
        "outcome": receipt.outcome,
        "status": receipt.status,
        "code": receipt.code,
        "message": receipt.message,
    }
