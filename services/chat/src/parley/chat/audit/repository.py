"""The audit log in MongoDB. Entries are only ever inserted."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from pymongo import DESCENDING

from parley.chat.audit.model import AuditedEvent, AuditEntry, AuditFilter
from parley.chat.paging.model import ListPage, Position
from parley.chat.paging.mongo import fetch_page
from parley.common.mongodb import Document, Index, Mongo, OutboxInsert, to_outbox_entry

COLLECTION = "audit"

# `facets` holds every combination of site, operator and action that matches an entry. So each combination of filters
# is one equality match on one index, which also gives the order of the list.
INDEXES = [
    Index(
        COLLECTION,
        [("tenant_id", 1), ("facets", 1), ("at", DESCENDING), ("_id", DESCENDING)],
        {"name": "facets"},
    )
]


class MongoAuditRepository:
    """Implements AuditRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def add(self, entry: AuditEntry) -> None:
        await self._mongo[COLLECTION].insert_one(to_document(entry))

    async def list_page(
        self, tenant_id: int, audit_filter: AuditFilter, after: Position | None, limit: int
    ) -> ListPage[AuditEntry]:
        query = _query(tenant_id, audit_filter)
        return await fetch_page(self._mongo, COLLECTION, query, "at", DESCENDING, _to_entry, after=after, limit=limit)


def to_document(entry: AuditEntry) -> Document:
    """Convert an entry to its MongoDB document."""
    kind, _, target_id = entry.target.partition(":")
    return {
        "_id": entry.id,
        "tenant_id": entry.tenant_id,
        "at": entry.at,
        "operator": {"id": entry.operator_id, "name": entry.operator_name},
        "action": entry.action,
        "target": {"kind": kind, "id": target_id},
        "site_id": entry.site_id,
        "address": entry.client_ip,
        "details": _with_lists(entry.details),
        "facets": _facets(entry.site_id, entry.operator_id, entry.action),
    }


def audited_outbox_entry(audited: AuditedEvent) -> Document:
    """Build the outbox entry of a change: its event, with the audit entry embedded for insertion by the outbox."""
    return to_outbox_entry(audited.event, OutboxInsert(COLLECTION, to_document(audited.entry)))


def _with_lists(details: Mapping[str, Any]) -> Document:
    # BSON has no tuples.
    return {name: list(value) if isinstance(value, tuple) else value for name, value in details.items()}


def _facets(site_id: int | None, operator_id: int | None, action: str | None) -> list[str]:
    terms = _facet_terms(site_id, operator_id, action)
    return ["&".join(subset) for size in range(len(terms) + 1) for subset in combinations(terms, size)]


def _facet_terms(site_id: int | None, operator_id: int | None, action: str | None) -> list[str]:
    terms = [("site", site_id), ("operator", operator_id), ("action", action)]
    return [f"{name}={value}" for name, value in terms if value is not None]


def _query(tenant_id: int, audit_filter: AuditFilter) -> Document:
    facet = "&".join(_facet_terms(audit_filter.site_id, audit_filter.operator_id, audit_filter.action))
    query: Document = {"tenant_id": tenant_id, "facets": facet}
    bounds = (("$gte", audit_filter.since), ("$lt", audit_filter.until))
    period = {operator: moment for operator, moment in bounds if moment is not None}
    if period:
        query["at"] = period
    return query


def _to_entry(row: Document) -> AuditEntry:
    return AuditEntry(
        id=row["_id"],
        tenant_id=row["tenant_id"],
        at=row["at"],
        operator_id=row["operator"]["id"],
        operator_name=row["operator"]["name"],
        action=row["action"],
        target=f"{row['target']['kind']}:{row['target']['id']}",
        site_id=row["site_id"],
        client_ip=row["address"],
        details=row["details"],
    )
