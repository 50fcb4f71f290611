"""Facts and the tables of days in MongoDB.

Tables are always built from all facts of their day, and replaced as a whole: a repeated, late or lost write never
counts a conversation twice. A change of a fact increments the revision of its day after it; tables are stored with the
revision that was read before the facts, and never replace those of a later one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from pymongo import ReturnDocument, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from parley.chat.conversations.mappers import to_conversation, to_usage, usage_documents
from parley.chat.conversations.model import Conversation
from parley.chat.reports.figures import FIRST_FIELDS, SECOND_FIELDS
from parley.chat.reports.model import Fact, GroupBy
from parley.chat.reports.ports import DueDay, SiteDay
from parley.chat.reports.tables import Dimension, Table, pack, split, unpack
from parley.common.mongodb import Document, Index

FACTS = "report_facts"
DAYS = "report_days"
_LATER_PARTS = ("added", "latest")
"""Tables with the fields that versions have added. Those of an older revision say nothing."""
_DUPLICATE_KEY = 11000
_BATCH_SIZE = 250
"""Between two batches of a long list, other requests have their turn."""

INDEXES = [
    Index(FACTS, [("tenant_id", 1), ("site_id", 1), ("began_at", 1)], {"name": "of_day"}),
    Index(DAYS, [("tenant_id", 1), ("site_id", 1), ("day", 1)], {"name": "day", "unique": True}),
    Index(DAYS, [("due", 1)], {"name": "due", "partialFilterExpression": {"due": {"$type": "date"}}}),
]

_FACT_FIELDS = (
    "tenant_id",
    "site_id",
    "version",
    "began_at",
    "handed_off_at",
    "handoff_reason",
    "requested_at",
    "assigned_at",
    "waiting",
    "closed_at",
    "operator_id",
    "team_id",
    "rating",
)
_FIRST_MESSAGES = ("first_ai_message_at", "first_operator_message_at")
_NAMED: Mapping[GroupBy, tuple[str, str]] = {
    GroupBy.SITE: ("sites", "deleted"),
    GroupBy.OPERATOR: ("operators", "removed"),
    GroupBy.TEAM: ("teams", "deleted"),
    GroupBy.LABEL: ("labels", "deleted_at"),
}
"""The collections of groups, and the field that marks the deleted ones."""


class Collections(Protocol):
    """A database: a service's `Mongo`, or that of a migration."""

    def __getitem__(self, name: str) -> AsyncCollection[Document]: ...


class MongoReportRepository:
    """A FactRepository and a ReportRepository."""

    def __init__(self, database: Collections) -> None:
        self._database = database

    async def find_conversations(self, conversation_ids: Collection[int]) -> Sequence[Conversation]:
        query = {"_id": {"$in": list(conversation_ids)}}
        rows = self._database["conversations"].find(query, {"outbox": 0, "words": 0})
        return [to_conversation(row) async for row in rows]

    async def store_facts(self, facts: Sequence[Fact], due: datetime) -> None:
        if not facts:
            return
        try:
            await self._database[FACTS].bulk_write([_to_update(fact) for fact in facts], ordered=False)
        except BulkWriteError as exc:
            # A newer fact is stored already.
            if any(error["code"] != _DUPLICATE_KEY for error in exc.details["writeErrors"]):
                raise
        await self._mark_days({_day_of(fact.tenant_id, fact.site_id, fact.began_at) for fact in facts}, due)

    async def delete_facts(self, conversation_ids: Collection[int], due: datetime) -> None:
        query: Document = {"_id": {"$in": list(conversation_ids)}}
        # Marked first: after a crash, a repetition still finds the days whose tables count them.
        await self._database[FACTS].update_many(query, {"$set": {"erased": True}})
        rows = self._database[FACTS].find(query, {"tenant_id": 1, "site_id": 1, "began_at": 1})
        days = {_day_of(row["tenant_id"], row["site_id"], row["began_at"]) async for row in rows}
        await self._mark_days(days, due)
        await self._database[FACTS].delete_many({**query, "erased": True})

    async def rebuild_days(self, reason: str, due: datetime) -> None:
        """Let the tables be built again of all days with conversations that were handed off for a reason."""
        # Once, by a migration: no index of its own, so by that of the ids.
        fields = {"tenant_id": 1, "site_id": 1, "began_at": 1}
        rows = self._database[FACTS].find({"handoff_reason": reason}, fields, hint="_id_")
        await self._mark_days({_day_of(row["tenant_id"], row["site_id"], row["began_at"]) async for row in rows}, due)

    async def claim_day(self, now: datetime, until: datetime) -> DueDay | None:
        row = await self._database[DAYS].find_one_and_update(
            {"due": {"$lte": now, "$type": "date"}, "not_before": {"$not": {"$gt": now}}},
            {"$set": {"not_before": until}},
            {"tenant_id": 1, "site_id": 1, "day": 1, "revision": 1},
            sort=[("due", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return None if row is None else DueDay(_to_site_day(row), row["revision"])

    def read_day(self, day: SiteDay) -> AsyncIterator[Fact]:
        start = datetime(day.day.year, day.day.month, day.day.day, tzinfo=UTC)
        return self.read_facts(day.tenant_id, [day.site_id], start, start + timedelta(days=1))

    async def store_tables(self, day: DueDay, tables: Mapping[Dimension, Table], not_before: datetime) -> None:
        first: Document = {}
        added: Document = {}
        latest: Document = {}
        for dimension, table in tables.items():
            known, new = split(table, SECOND_FIELDS)
            latest[dimension.value] = _table_document(new)
            if dimension is Dimension.ENGINE:
                added[dimension.value] = _table_document(known)
                continue
            oldest, newer = split(known, FIRST_FIELDS)
            first[dimension.value], added[dimension.value] = _table_document(oldest), _table_document(newer)
        built: Document = {
            "tables": first,
            # Apart, as the version before reads `tables` and `added`. What it builds replaces them only.
            "added": {"revision": day.revision, "tables": added},
            "latest": {"revision": day.revision, "tables": latest},
            "built_revision": day.revision,
            "not_before": not_before,
            # Still due if a fact has changed since the revision was read.
            "due": {"$cond": [{"$eq": ["$revision", day.revision]}, "$$REMOVE", "$due"]},
        }
        older = {"$or": [{"built_revision": None}, {"built_revision": {"$lte": day.revision}}]}
        await self._database[DAYS].update_one({"_id": _day_id(day.key), **older}, [{"$set": built}])

    async def list_sites(self) -> Sequence[tuple[int, int]]:
        group = {"$group": {"_id": {"tenant_id": "$tenant_id", "site_id": "$site_id"}}}
        cursor = await self._database[DAYS].aggregate([{"$sort": {"tenant_id": 1, "site_id": 1}}, group])
        return [(row["_id"]["tenant_id"], row["_id"]["site_id"]) async for row in cursor]

    async def delete_site(self, tenant_id: int, site_id: int) -> None:
        query = {"tenant_id": tenant_id, "site_id": site_id}
        # The days last: as long as there is one, the site is found again.
        await self._database[FACTS].delete_many(query)
        await self._database[DAYS].delete_many(query)

    async def read_tables(
        self, tenant_id: int, site_ids: Sequence[int], first: date, last: date, dimension: Dimension
    ) -> AsyncIterator[tuple[SiteDay, Table]]:
        query = {
            "tenant_id": tenant_id,
            "site_id": {"$in": list(site_ids)},
            "day": {"$gte": first.isoformat(), "$lte": last.isoformat()},
            "built_revision": {"$exists": True},
        }
        names = [f"tables.{dimension}"]
        for part in _LATER_PARTS:
            names += f"{part}.revision", f"{part}.tables.{dimension}"
        fields = dict.fromkeys(("tenant_id", "site_id", "day", "built_revision", *names), 1)
        async for row in self._database[DAYS].find(query, fields, batch_size=_BATCH_SIZE):
            day = _to_site_day(row)
            if dimension in row["tables"]:
                yield day, _to_table(row["tables"][dimension])
            for part in _LATER_PARTS:
                if part in row and row[part]["revision"] == row["built_revision"]:
                    yield day, _to_table(row[part]["tables"][dimension])

    async def read_facts(
        self, tenant_id: int, site_ids: Sequence[int], start: datetime, end: datetime
    ) -> AsyncIterator[Fact]:
        query = {
            "tenant_id": tenant_id,
            "site_id": {"$in": list(site_ids)},
            "began_at": {"$gte": start, "$lt": end},
            "erased": None,
        }
        async for row in self._database[FACTS].find(query, batch_size=_BATCH_SIZE):
            yield _to_fact(row)

    async def find_currencies(self, tenant_id: int, site_ids: Collection[int]) -> set[str]:
        query = {"tenant_id": tenant_id, "_id": {"$in": list(site_ids)}}
        currencies = await self._database["sites"].distinct("chatbot.prices.currency", query)
        return {currency for currency in currencies if currency}

    async def find_names(
        self, tenant_id: int, group_by: GroupBy, ids: Collection[int]
    ) -> Mapping[int, tuple[str, bool]]:
        if group_by not in _NAMED:
            return {}
        collection, deleted = _NAMED[group_by]
        rows = self._database[collection].find(
            {"_id": {"$in": list(ids)}, "tenant_id": tenant_id}, {"name": 1, deleted: 1}
        )
        return {row["_id"]: (row["name"], bool(row.get(deleted))) async for row in rows}

    async def _mark_days(self, days: Collection[SiteDay], due: datetime) -> None:
        """Let the tables of these days be built at `due`, or when they are due already if that is earlier."""
        if not days:
            return
        updates = [
            UpdateOne(
                {"_id": _day_id(day)},
                {
                    "$setOnInsert": {
                        "tenant_id": day.tenant_id,
                        "site_id": day.site_id,
                        "day": day.day.isoformat(),
                    },
                    "$inc": {"revision": 1},
                    "$min": {"due": due},
                },
                upsert=True,
            )
            # In one order, so that concurrent writes do not wait for each other in a circle.
            for day in sorted(days, key=_day_id)
        ]
        await self._database[DAYS].bulk_write(updates, ordered=False)


def _to_update(fact: Fact) -> UpdateOne:
    """Replace a fact that is not newer: an upsert of an older one fails with a duplicate key."""
    fields: Document = {name: getattr(fact, name) for name in _FACT_FIELDS}
    added = {"label_ids": list(fact.label_ids), "usage": usage_documents(fact.usage)}
    update: Document = {"$set": {**fields, **added}}
    # The earliest known: a conversation of an earlier version does not have the time of its first messages, and may
    # take a later one for it. A migration reads them from its messages.
    firsts = {name: moment for name in _FIRST_MESSAGES if (moment := getattr(fact, name)) is not None}
    if firsts:
        update["$min"] = firsts
    return UpdateOne({"_id": fact.conversation_id, "version": {"$lte": fact.version}}, update, upsert=True)


def _to_fact(row: Document) -> Fact:
    fields: dict[str, Any] = {name: row.get(name) for name in (*_FACT_FIELDS, *_FIRST_MESSAGES)}
    usage = to_usage(row.get("usage"))
    return Fact(conversation_id=row["_id"], label_ids=tuple(row["label_ids"]), usage=usage, **fields)


def _day_of(tenant_id: int, site_id: int, moment: datetime) -> SiteDay:
    return SiteDay(tenant_id, site_id, moment.astimezone(UTC).date())


def _day_id(day: SiteDay) -> str:
    return f"{day.tenant_id}:{day.site_id}:{day.day.isoformat()}"


def _to_site_day(row: Document) -> SiteDay:
    return SiteDay(row["tenant_id"], row["site_id"], date.fromisoformat(row["day"]))


def _table_document(table: Table) -> Document:
    return {
        "keys": list(table.keys),
        "ends": list(table.ends),
        "fields": table.fields,
        "values": pack(table.values),
    }


def _to_table(document: Document) -> Table:
    return Table(tuple(document["keys"]), tuple(document["ends"]), document["fields"], unpack(document["values"]))
