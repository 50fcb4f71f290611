"""The team's lists in MongoDB."""

from __future__ import annotations

from collections.abc import Sequence

from parley.chat.accounts.repository import EVERYWHERE, OPERATORS, operator_of
from parley.chat.accounts.service import Operator
from parley.common.mongodb import Document, Index, Mongo

MOST_ON_SITE = 1000
"""Members of one site that are looked at when a conversation needs somebody."""

INDEXES = [
    Index(OPERATORS, [("tenant_id", 1), ("removed", 1), ("_id", 1)], {"name": "team"}),
    # An owner's reach is EVERYWHERE, so that the people of a site are found by one index.
    Index(OPERATORS, [("tenant_id", 1), ("reach", 1), ("_id", 1)], {"name": "reach"}),
]


class MongoTeam:
    """A TeamStore."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def page(self, tenant_id: int, site_ids: Sequence[int] | None, after: int, limit: int) -> list[Operator]:
        query: Document = {"tenant_id": tenant_id, "removed": False, "_id": {"$gt": after}}
        if site_ids is not None:
            query["reach"] = {"$in": [EVERYWHERE, *site_ids]}
        found = self._mongo[OPERATORS].find(query, limit=limit)
        return [operator_of(row) async for row in found.sort("_id", 1)]

    async def on_site(self, tenant_id: int, site_id: int) -> list[Operator]:
        return await self.page(tenant_id, [site_id], 0, MOST_ON_SITE)
