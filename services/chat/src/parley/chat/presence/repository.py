"""The read model of online operators in MongoDB: one document per operator and site."""

from __future__ import annotations

from datetime import datetime

from parley.common.mongodb import Index, Mongo

INDEXES = [Index("operators_online", [("site_id", 1), ("online", 1), ("operator_id", 1)], {"name": "of_site"})]


class MongoOnlineOperatorRepository:
    """An OnlineOperatorRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_online(self, site_id: int) -> frozenset[int]:
        cursor = self._mongo["operators_online"].find({"site_id": site_id, "online": True}, {"operator_id": 1})
        return frozenset([document["operator_id"] async for document in cursor])

    async def record(self, site_id: int, operator_id: int, at: datetime, *, online: bool) -> None:
        key = f"{site_id}:{operator_id}"
        fields = {"site_id": site_id, "operator_id": operator_id, "online": online, "at": at}
        await self._mongo["operators_online"].update_one(
            {"_id": key},
            [{"$replaceWith": {"$mergeObjects": ["$$ROOT", {"$cond": [{"$gt": ["$at", at]}, {}, fields]}]}}],
            upsert=True,
        )
