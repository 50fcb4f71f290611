"""Teams in MongoDB. The outbox is part of the document, so that a change and its event are one write."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.chat.accounts.errors import EditConflict
from parley.chat.audit.model import AuditedEvent
from parley.chat.audit.repository import audited_outbox_entry
from parley.chat.conversations.visitor_search import fold
from parley.chat.mongo_limits import stay_within
from parley.chat.teams.errors import MAX_TEAMS, TeamNameTaken, TooManyTeams
from parley.chat.teams.model import Team
from parley.common.mongodb import Document, Index, Mongo, Outbox

COLLECTION = "teams"

INDEXES = [
    Index(COLLECTION, [("tenant_id", 1), ("deleted", 1), ("_id", 1)], {"name": "tenant"}),
    Index(
        COLLECTION,
        [("tenant_id", 1), ("name_folded", 1)],
        {"name": "name", "unique": True, "partialFilterExpression": {"deleted": False}},
    ),
]


class MongoTeamsRepository:
    """Implements TeamsRepository."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox

    async def list_page(self, tenant_id: int, site_ids: Sequence[int] | None, after: int, limit: int) -> list[Team]:
        query: Document = {"tenant_id": tenant_id, "deleted": False, "_id": {"$gt": after}}
        if site_ids is not None:
            query["site_ids"] = {"$in": list(site_ids)}
        rows = self._mongo[COLLECTION].find(query, limit=limit)
        return [_to_team(row) async for row in rows.sort("_id", 1)]

    async def list_on_site(self, tenant_id: int, site_id: int) -> Sequence[Team]:
        return await self.list_page(tenant_id, [site_id], 0, MAX_TEAMS + 1)

    async def find(self, tenant_id: int, team_id: int) -> Team | None:
        row = await self._mongo[COLLECTION].find_one({"_id": team_id, "tenant_id": tenant_id, "deleted": False})
        return None if row is None else _to_team(row)

    async def add(self, team: Team, audited: AuditedEvent, limit: int) -> None:
        document = {
            "_id": team.id,
            "tenant_id": team.tenant_id,
            "created_at": team.created_at,
            **_mutable_fields(team),
            "outbox": [audited_outbox_entry(audited)],
        }
        group = {"tenant_id": team.tenant_id, "deleted": False}
        async with stay_within(self._mongo, COLLECTION, group, [team.id], limit, TooManyTeams):
            try:
                await self._mongo[COLLECTION].insert_one(document)
            except DuplicateKeyError as exc:
                raise TeamNameTaken from exc
        self._outbox.enqueue(COLLECTION, document)

    async def save(self, before: Team, after: Team, audited: AuditedEvent) -> None:
        try:
            row = await self._mongo[COLLECTION].find_one_and_update(
                {"_id": before.id, "tenant_id": before.tenant_id, "version": before.version},
                {"$set": _mutable_fields(after), "$push": {"outbox": audited_outbox_entry(audited)}},
                {"outbox": 1},
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError as exc:
            raise TeamNameTaken from exc
        if row is None:
            raise EditConflict
        self._outbox.enqueue(COLLECTION, row)


def _mutable_fields(team: Team) -> Document:
    return {
        "name": team.name,
        "name_folded": fold(team.name),
        "site_ids": list(team.site_ids),
        "operator_ids": list(team.operator_ids),
        "updated_at": team.updated_at,
        "deleted": team.deleted,
        "version": team.version,
    }


def _to_team(row: Document) -> Team:
    return Team(
        id=row["_id"],
        tenant_id=row["tenant_id"],
        name=row["name"],
        site_ids=tuple(row["site_ids"]),
        operator_ids=tuple(row["operator_ids"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted=row["deleted"],
        version=row["version"],
    )
