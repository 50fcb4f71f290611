"""Who of the operators is online: a read model fed by presence's events, so that lists need nobody else's answer.

Whether a visitor is online is asked of presence itself: it matters at one moment only, and must be true then.
"""

from __future__ import annotations

from datetime import datetime

from parley.common.messaging import Ask
from parley.common.mongodb import Index, Mongo

INDEXES = [Index("operators_online", [("site_id", 1), ("online", 1), ("operator_id", 1)], {"name": "of_site"})]


class MongoWhereabouts:
    """The domain's Whereabouts."""

    def __init__(self, mongo: Mongo, ask_presence: Ask) -> None:
        self._mongo = mongo
        self._ask = ask_presence

    async def operators_online(self, site_id: int) -> frozenset[int]:
        cursor = self._mongo["operators_online"].find({"site_id": site_id, "online": True}, {"operator_id": 1})
        return frozenset([row["operator_id"] async for row in cursor])

    async def visitor_online(self, site_id: int, session: str) -> bool:
        found = await self._ask("visitor_online", site_id=site_id, session=session)
        return bool(found and found["online"])

    async def learn(self, site_id: int, operator_id: int, at: datetime, *, online: bool) -> None:
        """An operator came or went at a moment; an older fact does not undo a newer one."""
        key = f"{site_id}:{operator_id}"
        fields = {"site_id": site_id, "operator_id": operator_id, "online": online, "at": at}
        await self._mongo["operators_online"].update_one(
            {"_id": key},
            [{"$replaceWith": {"$cond": [{"$gt": ["$at", at]}, "$$ROOT", {"_id": key, **fields}]}}],
            upsert=True,
        )
