"""One record for each visitor of a site: where they are, until when they are online, their open conversation."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from pymongo import UpdateOne

from parley.common.errors import Unavailable
from parley.common.events.presence import OnlineVisitor, VisitorOffline, VisitorOnline, VisitorPage
from parley.common.mongodb import Document, Index, Mongo, Outbox
from parley.presence import outbox_pipeline
from parley.presence.model import Beat, OpenConversation, Place, Position, visitor_key
from parley.presence.outbox_pipeline import NOTHING, Expression, choose, either, kept, literal, timestamp

COLLECTION: Final = "visitors"
_ONLINE = {"partialFilterExpression": {"online": True}}
INDEXES = (
    Index(COLLECTION, [("expires_at", 1)], {"name": "due", **_ONLINE}),
    Index(COLLECTION, [("site_id", 1), ("since", -1), ("_id", -1)], {"name": "list", **_ONLINE}),
    Index(COLLECTION, [("remove_at", 1)], {"name": "removal", "expireAfterSeconds": 0}),
)
_KEEP = timedelta(days=1)
_KEEP_WITH_CONVERSATION = timedelta(days=30)
"""Who comes back after days, to a conversation that is still open, is to be shown with it."""
_KEEP_EMPTY = timedelta(minutes=1)
_PERSONAL = ("page", "title", "referrer", "language", "seen", "conversation", "conversation_id")
_REMEMBERED = 200_000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class MongoVisitors:
    """The domain's `VisitorRecords`."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox
        self._steady: OrderedDict[str, tuple[str, datetime]] = OrderedDict()
        """What this process wrote of visitors last: a guess at which heartbeats only move the time on. The write
        itself checks the guess."""

    async def beat(self, beats: Sequence[Beat]) -> None:
        places = {beat.key: _print(beat.place) for beat in beats}
        guessed = [beat for beat in beats if self._is_steady(beat, places[beat.key])]
        steady = {beat.key for beat in guessed}
        moved = [beat for beat in beats if beat.key not in steady]
        await self._write(guessed, moved, places)
        for beat in beats:
            self._steady[beat.key] = (places[beat.key], beat.until)
            self._steady.move_to_end(beat.key)
        while len(self._steady) > _REMEMBERED:
            self._steady.popitem(last=False)

    async def online(
        self, site_ids: Sequence[int], at: datetime, limit: int, after: Position | None
    ) -> tuple[list[OnlineVisitor], Position | None]:
        if not self._mongo.prepared.is_set():
            raise Unavailable
        wanted: Document = {"site_id": {"$in": list(site_ids)}, "online": True, "expires_at": {"$gt": at}}
        if after is not None:
            wanted["since"] = {"$lte": after.since}
            wanted["$nor"] = [{"since": after.since, "_id": {"$gte": after.key}}]
        cursor = self._mongo[COLLECTION].find(wanted, hint="list").sort([("since", -1), ("_id", -1)]).limit(limit + 1)
        records = [record async for record in cursor]
        shown = records[:limit]
        more = len(records) > limit
        return [_view(record) for record in shown], Position(shown[-1]["since"], shown[-1]["_id"]) if more else None

    async def is_online(self, site_id: int, session: str, at: datetime) -> bool:
        record = await self._mongo[COLLECTION].find_one(
            {"_id": visitor_key(site_id, session)}, {"online": 1, "expires_at": 1}
        )
        return record is not None and record["online"] and record["expires_at"] > at

    async def converse(self, conversation: OpenConversation, at: datetime) -> None:
        key = visitor_key(conversation.site_id, conversation.session)
        await outbox_pipeline.write(
            self._mongo, COLLECTION, [UpdateOne({"_id": key}, _conversing(conversation, at), upsert=True)]
        )

    async def expire(self, at: datetime) -> int:
        return await outbox_pipeline.expire(self._mongo, self._outbox, COLLECTION, at, lambda mark: _offline(mark, at))

    async def kept(self, site_id: int, session: str) -> Document | None:
        record = await self._mongo[COLLECTION].find_one({"_id": visitor_key(site_id, session)})
        if record is None or ("since" not in record and record.get("conversation_id") is None):
            return None
        shown = _view(record).model_dump(mode="json") if "since" in record else {}
        return {**shown, "online": record["online"], "conversation_id": record.get("conversation_id")}

    async def erase(self, site_id: int, session: str, at: datetime) -> None:
        key = visitor_key(site_id, session)
        mark = outbox_pipeline.new_mark()
        self._steady.pop(key, None)
        await outbox_pipeline.write(self._mongo, COLLECTION, [UpdateOne({"_id": key}, _empty(mark, at))])
        await outbox_pipeline.tell(self._mongo, self._outbox, COLLECTION, [key], mark)

    async def count(self, at: datetime) -> int:
        return await self._mongo[COLLECTION].count_documents({"online": True, "expires_at": {"$gt": at}})

    def _is_steady(self, beat: Beat, place: str) -> bool:
        known = self._steady.get(beat.key)
        return known is not None and known[0] == place and known[1] > beat.at

    async def _write(self, guessed: Sequence[Beat], moved: Sequence[Beat], places: dict[str, str]) -> None:
        """One bulk write; a second one for those of whom the guess was wrong."""
        mark = outbox_pipeline.new_mark()
        operations = [_stay(beat, places[beat.key]) for beat in guessed]
        operations.extend(_come(beat, places[beat.key], mark) for beat in moved)
        if not operations:
            return
        hits = await outbox_pipeline.write(self._mongo, COLLECTION, operations)
        if moved:
            await outbox_pipeline.tell(self._mongo, self._outbox, COLLECTION, [beat.key for beat in moved], mark)
        if hits < len(operations):
            await self._write([], await self._missed(guessed), places)

    async def _missed(self, beats: Sequence[Beat]) -> list[Beat]:
        """Those whose heartbeat is neither written nor overtaken by a newer one."""
        cursor = self._mongo[COLLECTION].find(
            {"_id": {"$in": [beat.key for beat in beats]}, "online": True}, {"expires_at": 1}
        )
        written = {record["_id"]: record["expires_at"] async for record in cursor}
        return [beat for beat in beats if written.get(beat.key, _LONG_AGO) < beat.until]


def _stay(beat: Beat, place: str) -> UpdateOne:
    """Move the time on of somebody who is online, where they were."""
    return UpdateOne(
        {"_id": beat.key, "online": True, "seen": place}, {"$max": {"expires_at": beat.until}}, hint="_id_"
    )


def _come(beat: Beat, place: str, mark: str) -> UpdateOne:
    """Bring somebody online, or to another page; news of either. A heartbeat that a newer one overtook does neither."""
    newer = {"$gt": [beat.until, kept("expires_at", _LONG_AGO)]}
    change = {"$or": [{"$not": ["$was"]}, "$moved"]}
    kind = choose("$was", VisitorPage.type, VisitorOnline.type)
    entry = outbox_pipeline.news(mark, kind, {"visitor": _shown()}, session="$session")
    now_at = {
        "page": beat.place.page,
        "title": beat.place.title,
        "referrer": beat.place.referrer,
        "language": beat.place.language,
        "seen": place,
    }
    pipeline: list[Document] = [
        {
            "$set": {
                "was": kept("online", default=False),
                "newer": newer,
                "moment": outbox_pipeline.moment(beat.at),
                "moved": {"$and": [newer, {"$ne": ["$page", literal(beat.place.page)]}]},
                "tenant_id": literal(beat.tenant_id),
                "site_id": literal(beat.site_id),
                "session": literal(beat.session),
            }
        },
        {
            "$set": {
                **{name: choose("$newer", literal(value), f"${name}") for name, value in now_at.items()},
                "online": literal(True),
                "expires_at": either("$expires_at", beat.until),
                "since": choose("$was", "$since", beat.at),
                "remove_at": NOTHING,
            }
        },
        {"$set": outbox_pipeline.told(change, mark, entry, _without_pages())},
        {"$unset": ["was", "newer", "moved", "moment"]},
    ]
    return UpdateOne({"_id": beat.key}, pipeline, upsert=True)


def _without_pages() -> Expression:
    """The outbox without earlier pages: the newest says it all, and while the broker is away it must not grow."""
    return {
        "$filter": {
            "input": kept("outbox", []),
            "as": "entry",
            "cond": {"$ne": ["$$entry.event.type", VisitorPage.type]},
        }
    }


def _offline(mark: str, at: datetime) -> list[Document]:
    entry = outbox_pipeline.news(mark, VisitorOffline.type, {"visitor": _shown()}, session="$session")
    return [
        {"$set": {"moment": outbox_pipeline.moment(at)}},
        {
            "$set": {
                "online": literal(False),
                "remove_at": _removal(at),
                **outbox_pipeline.told(literal(True), mark, entry),
            }
        },
        {"$unset": "moment"},
    ]


def _empty(mark: str, at: datetime) -> list[Document]:
    """Nothing of a visitor but that they went; the database removes that a little later, when it has been told.

    Their pages of before may still wait in the outbox, while the broker is away: they go with the rest.
    """
    unpaged = {
        "$filter": {
            "input": kept("outbox", []),
            "as": "entry",
            "cond": {"$eq": ["$$entry.event.data.visitor.page", None]},
        }
    }
    entry = outbox_pipeline.news(mark, VisitorOffline.type, {"visitor": _shown()}, session="$session")
    return [
        {"$set": {"moment": outbox_pipeline.moment(at), **dict.fromkeys(_PERSONAL, NOTHING)}},
        {"$set": {**outbox_pipeline.told("$online", mark, entry), "outbox": choose("$online", [entry], unpaged)}},
        {"$set": {"online": literal(False), "remove_at": at + _KEEP_EMPTY}},
        {"$unset": ["moment", "since"]},
    ]


def _conversing(told: OpenConversation, at: datetime) -> list[Document]:
    """Keep a conversation unless a later version of it, or a later conversation, is kept already."""
    same = {"$eq": ["$conversation.id", literal(told.conversation_id)]}
    later = {"$lt": [{"$ifNull": ["$conversation.version", -1]}, literal(told.version)]}
    next_one = {"$lt": [{"$ifNull": ["$conversation.started", _LONG_AGO]}, told.started]}
    conversation = {"id": told.conversation_id, "version": told.version, "started": told.started}
    shown = None if told.closed else told.conversation_id
    return [
        {
            "$set": {
                "tenant_id": literal(told.tenant_id),
                "site_id": literal(told.site_id),
                "session": literal(told.session),
                "online": kept("online", default=False),
                "expires_at": kept("expires_at", _LONG_AGO),
                "newer": choose(same, later, next_one),
            }
        },
        {
            "$set": {
                "conversation": choose("$newer", literal(conversation), "$conversation"),
                "conversation_id": choose("$newer", literal(shown), kept("conversation_id")),
            }
        },
        {"$set": {"remove_at": choose("$online", NOTHING, _removal(at))}},
        {"$unset": "newer"},
    ]


def _removal(at: datetime) -> Expression:
    return choose({"$eq": [kept("conversation_id"), None]}, at + _KEEP, at + _KEEP_WITH_CONVERSATION)


def _shown() -> Document:
    """The record as an `OnlineVisitor`."""
    return {
        "site_id": "$site_id",
        "session_id": "$session",
        "page": kept("page"),
        "title": kept("title"),
        "referrer": kept("referrer"),
        "language": kept("language"),
        "since": timestamp("since"),
        "conversation_id": kept("conversation_id"),
    }


def _view(record: Document) -> OnlineVisitor:
    return OnlineVisitor(session_id=record["session"], **{name: record.get(name) for name in _SHOWN})


_SHOWN = ("site_id", "page", "title", "referrer", "language", "since", "conversation_id")


@lru_cache(10_000)
def _print(place: Place) -> str:
    """A short mark of where somebody is, so that a heartbeat can ask «still there?» in few bytes."""
    parts: tuple[Any, ...] = (place.page, place.title, place.referrer, place.language)
    return hashlib.blake2b(repr(parts).encode("utf-8", "replace"), digest_size=9).hexdigest()
