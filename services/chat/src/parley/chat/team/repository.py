"""Lists of a team's members in MongoDB."""

from __future__ import annotations

from collections.abc import Sequence

from parley.chat.accounts.model import Operator
from parley.chat.accounts.repository import ALL_SITES, OPERATORS, to_operator
from parley.common.mongodb import Document, Index, Mongo

MAX_MEMBERS_ON_SITE = 1000
"""Members of one site that are considered for a conversation."""

INDEXES = [
    Index(OPERATORS, [("tenant_id", 1), ("removed", 1), ("_id", 1)], {"name": "team"}),
    # The reach of an owner is ALL_SITES, so that one index finds everybody on a site.
    Index(OPERATORS, [("tenant_id", 1), ("reach", 1), ("_id", 1)], {"name": "reach"}),
]


class MongoTeamRepository:
    """Implements TeamRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_page(self, tenant_id: int, site_ids: Sequence[int] | None, after: int, limit: int) -> list[Operator]:
        query: Document = {"tenant_id": tenant_id, "removed": False, "_id": {"$gt": after}}
        if site_ids is not None:
            query["reach"] = {"$in": [ALL_SITES, *site_ids]}
        rows = self._mongo[OPERATORS].find(query, limit=limit)
        return [to_operator(row) async for row in rows.sort("_id", 1)]

    async def list_on_site(self, tenant_id: int, site_id: int) -> list[Operator]:
        return await self.list_page(tenant_id, [site_id], 0, MAX_MEMBERS_ON_SITE)
