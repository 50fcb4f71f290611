"""The audit log in MongoDB: entries are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import combinations
from typing import Any

from pymongo import DESCENDING

from parley.chat.audit.service import AuditFilter, Entry, Told
from parley.common.mongodb import Document, Index, Mongo, Projection, entry_of

COLLECTION = "audit"

# `facets` holds every combination of site, operator and action that an entry answers to, so that each way of
# filtering is one equality on one index, in the order of the list.
INDEXES = [
    Index(
        COLLECTION,
        [("tenant_id", 1), ("facets", 1), ("at", DESCENDING), ("_id", DESCENDING)],
        {"name": "facets"},
    )
]


class MongoAudit:
    """An AuditStore."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def add(self, entry: Entry) -> None:
        await self._mongo[COLLECTION].insert_one(document_of(entry))

    async def page(
        self, tenant_id: int, wanted: AuditFilter, after: tuple[datetime, int] | None, limit: int
    ) -> list[Entry]:
        found = self._mongo[COLLECTION].find(_query(tenant_id, wanted, after), limit=limit)
        return [_entry(row) async for row in found.sort([("at", DESCENDING), ("_id", DESCENDING)])]


def document_of(entry: Entry) -> Document:
    """An entry as it is kept."""
    kind, _, number = entry.target.partition(":")
    return {
        "_id": entry.id,
        "tenant_id": entry.tenant_id,
        "at": entry.at,
        "operator": {"id": entry.operator_id, "name": entry.operator_name},
        "action": entry.action,
        "target": {"kind": kind, "id": number},
        "site_id": entry.site_id,
        "address": entry.address,
        "details": _plain(entry.details),
        "facets": _facets(entry.site_id, entry.operator_id, entry.action),
    }


def outbox_entry(told: Told) -> Document:
    """What a change pushes to its document's outbox: the event, with the audit entry in its luggage."""
    return entry_of(told.event, Projection(COLLECTION, document_of(told.entry)))


def _plain(details: Mapping[str, Any]) -> Document:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in details.items()}


def _facets(site_id: int | None, operator_id: int | None, action: str | None) -> list[str]:
    words = _words(site_id, operator_id, action)
    return ["&".join(some) for size in range(len(words) + 1) for some in combinations(words, size)]


def _words(site_id: int | None, operator_id: int | None, action: str | None) -> list[str]:
    words = [("site", site_id), ("operator", operator_id), ("action", action)]
    return [f"{name}={value}" for name, value in words if value is not None]


def _query(tenant_id: int, wanted: AuditFilter, after: tuple[datetime, int] | None) -> Document:
    facet = "&".join(_words(wanted.site_id, wanted.operator_id, wanted.action))
    query: Document = {"tenant_id": tenant_id, "facets": facet}
    period = {name: moment for name, moment in (("$gte", wanted.since), ("$lt", wanted.until)) if moment is not None}
    if after is not None:
        at, entry_id = after
        period["$lte"] = at
        query["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": entry_id}}]
    if period:
        query["at"] = period
    return query


def _entry(row: Document) -> Entry:
    return Entry(
        id=row["_id"],
        tenant_id=row["tenant_id"],
        at=row["at"],
        operator_id=row["operator"]["id"],
        operator_name=row["operator"]["name"],
        action=row["action"],
        target=f"{row['target']['kind']}:{row['target']['id']}",
        site_id=row["site_id"],
        address=row["address"],
        details=row["details"],
    )
