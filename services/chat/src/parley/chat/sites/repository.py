"""Sites in MongoDB. Deleted ones stay for the sake of what was said there, and are found by nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from pymongo import ReturnDocument

from parley.chat.accounts.service import ChangedMeanwhile
from parley.chat.audit.repository import outbox_entry
from parley.chat.audit.service import Told
from parley.chat.sites.business_hours import Hours, Span
from parley.chat.sites.chatbot import AiChoice, Chatbot, Colours, TranslationChoice
from parley.chat.sites.service import Site, SiteNotFound
from parley.common.mongodb import Document, Index, Mongo, Outbox

COLLECTION = "sites"

INDEXES = [
    Index(COLLECTION, [("site_key", 1)], {"name": "site_key", "unique": True}),
    Index(COLLECTION, [("tenant_id", 1), ("deleted", 1), ("_id", 1)], {"name": "tenant"}),
    Index(COLLECTION, [("domains", 1)], {"name": "domains"}),
    Index(
        COLLECTION,
        [("any_origin", 1)],
        {"name": "any_origin", "partialFilterExpression": {"any_origin": True}},
    ),
]


class MongoSites:
    """A SiteStore."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox

    async def get(self, tenant_id: int, site_id: int) -> Site:
        site = await self._one({"_id": site_id, "tenant_id": tenant_id})
        if site is None:
            raise SiteNotFound
        return site

    async def find(self, site_id: int) -> Site | None:
        return await self._one({"_id": site_id})

    async def by_key(self, site_key: str) -> Site | None:
        return await self._one({"site_key": site_key})

    async def lists_any(self, domains: Sequence[str]) -> bool:
        ways = [{"domains": {"$in": list(domains)}}, {"any_origin": True}]
        return await self._mongo[COLLECTION].find_one({"$or": ways, "deleted": False}, {"_id": 1}) is not None

    async def page(self, tenant_id: int, among: Sequence[int] | None, after: int, limit: int) -> list[Site]:
        ids: Document = {"$gt": after}
        if among is not None:
            ids["$in"] = list(among)
        found = self._mongo[COLLECTION].find({"tenant_id": tenant_id, "deleted": False, "_id": ids}, limit=limit)
        return [_site(row) async for row in found.sort("_id", 1)]

    async def everywhere(self) -> list[Site]:
        """All there ever were."""
        return [_site(row) async for row in self._mongo[COLLECTION].find({}).sort("_id", 1)]

    async def ids_of(self, tenant_id: int) -> list[int]:
        found = self._mongo[COLLECTION].find({"tenant_id": tenant_id, "deleted": False}, {"_id": 1})
        return [row["_id"] async for row in found]

    async def existing(self, tenant_id: int, site_ids: Sequence[int]) -> list[int]:
        if not site_ids:
            return []
        query = {"tenant_id": tenant_id, "deleted": False, "_id": {"$in": list(site_ids)}}
        return [row["_id"] async for row in self._mongo[COLLECTION].find(query, {"_id": 1})]

    async def add(self, site: Site, told: Told) -> None:
        document = {
            "_id": site.id,
            "tenant_id": site.tenant_id,
            "created_at": site.created_at,
            **_fields(site),
            "outbox": [outbox_entry(told)],
        }
        await self._mongo[COLLECTION].insert_one(document)
        self._outbox.tell(COLLECTION, document)

    async def save(self, before: Site, after: Site, told: Told) -> None:
        row = await self._mongo[COLLECTION].find_one_and_update(
            {"_id": before.id, "version": before.version},
            {"$set": _fields(after), "$push": {"outbox": outbox_entry(told)}},
            {"outbox": 1},
            return_document=ReturnDocument.AFTER,
        )
        if row is None:
            raise ChangedMeanwhile
        self._outbox.tell(COLLECTION, row)

    async def _one(self, query: Document) -> Site | None:
        row = await self._mongo[COLLECTION].find_one({**query, "deleted": False})
        return None if row is None else _site(row)


def _fields(site: Site) -> Document:
    return {
        "name": site.name,
        "site_key": site.site_key,
        "domains": list(site.domains),
        "any_origin": site.any_origin,
        "language": site.language,
        "chatbot": _chatbot_document(site.chatbot),
        "deleted": site.deleted,
        "version": site.version,
    }


def _site(row: Document) -> Site:
    return Site(
        id=row["_id"],
        tenant_id=row["tenant_id"],
        name=row["name"],
        site_key=row["site_key"],
        created_at=row["created_at"],
        domains=tuple(row["domains"]),
        any_origin=row["any_origin"],
        language=row["language"],
        chatbot=_chatbot(row["chatbot"]),
        deleted=row["deleted"],
        version=row["version"],
    )


def _chatbot_document(bot: Chatbot) -> Document:
    document = asdict(bot)
    if bot.hours is not None:
        # MongoDB has moments, and no dates.
        document["hours"]["closed"] = [day.isoformat() for day in bot.hours.closed]
    return document


def _chatbot(kept: Mapping[str, Any]) -> Chatbot:
    known = _known(Chatbot, kept)
    hours = known.get("hours")
    made = {
        "colours": Colours(**known["colours"]),
        "hours": hours and _hours(hours),
        "translation": _translation(known.get("translation", {})),
        "ai": AiChoice(**_known(AiChoice, known.get("ai", {}))),
    }
    return Chatbot(**{**known, **made})


def _hours(kept: Mapping[str, Any]) -> Hours:
    spans = tuple(Span(row["day"], row["start"], row["end"]) for row in kept["weekly"])
    return Hours(kept["time_zone"], spans, tuple(date.fromisoformat(day) for day in kept["closed"]))


def _translation(kept: Mapping[str, Any]) -> TranslationChoice:
    engines, glossary = tuple(kept.get("engines", ())), tuple(kept.get("glossary", ()))
    return TranslationChoice(engines, glossary, kept.get("daily_characters"))


def _known(kind: type[Chatbot | AiChoice], kept: Mapping[str, Any]) -> Document:
    """Settings that came with a later version are absent in older documents, and have their defaults then."""
    return {name: value for name, value in kept.items() if name in kind.__dataclass_fields__}
