"""Canned replies in MongoDB."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.chat.canned_replies.errors import CannedReplyNotFound, ShortcutTaken, TooManyCannedReplies
from parley.chat.canned_replies.model import CannedReply
from parley.chat.conversations.visitor_search import fold, split_words
from parley.chat.mongo_limits import stay_within
from parley.chat.newer_documents import with_unknown_fields
from parley.chat.uploads.model import SENDING_TIME, image_name
from parley.common.events.schemas import FileSchema, QuickReply
from parley.common.mongodb import Document, Index, Mongo
from parley.common.runtime.clock import Clock

COLLECTION = "canned_replies"
_MAX_TERMS = 200
_ATTACHED = {"image_name": 1, "file.id": 1}

INDEXES = [
    Index(COLLECTION, [("tenant_id", 1), ("audience", 1), ("_id", 1)], {"name": "audience"}),
    Index(
        COLLECTION,
        [("tenant_id", 1), ("audience", 1), ("shortcut_folded", 1)],
        {"name": "shortcut", "unique": True},
    ),
    # An image that was sent with a visitor's messages, too, stays when the visitor is erased.
    Index(
        COLLECTION,
        [("image_name", 1)],
        {"name": "image_name", "partialFilterExpression": {"image_name": {"$type": "string"}}},
    ),
    # A file stays as long as a reply has it.
    Index(COLLECTION, [("file.id", 1)], {"name": "file", "partialFilterExpression": {"file.id": {"$type": "string"}}}),
    # For replies that the previous version writes, without the name.
    Index(
        COLLECTION, [("image_url", 1)], {"name": "image", "partialFilterExpression": {"image_url": {"$type": "string"}}}
    ),
]


class MongoCannedReplyRepository:
    """A CannedReplyRepository."""

    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo = mongo
        self._clock = clock

    async def list_page(
        self, tenant_id: int, audiences: Collection[str], words: Sequence[str], after: int, limit: int
    ) -> list[CannedReply]:
        query: Document = {
            "tenant_id": tenant_id,
            "audience": {"$in": sorted(audiences)},
            "_id": {"$gt": after},
        }
        if words:
            # Some hundred rows at most: the index finds the audience's, the words only filter them.
            query["$and"] = [{"terms": {"$regex": "^" + re.escape(word)}} for word in words]
        cursor = self._mongo[COLLECTION].find(query, limit=limit)
        return [_to_reply(document) async for document in cursor.sort("_id", 1)]

    async def get(self, tenant_id: int, reply_id: int) -> CannedReply:
        document = await self._mongo[COLLECTION].find_one({"_id": reply_id, "tenant_id": tenant_id})
        if document is None:
            raise CannedReplyNotFound
        return _to_reply(document)

    async def add(self, reply: CannedReply, limit: int) -> None:
        document = {"_id": reply.id, **_fields(reply), "created_at": reply.created_at, "use_count": reply.use_count}
        async with self._stay_within(reply, limit):
            try:
                await self._mongo[COLLECTION].insert_one(document)
            except DuplicateKeyError as exc:
                raise ShortcutTaken from exc
        await self._keep_file(reply)

    async def replace(self, reply: CannedReply, limit: int | None) -> None:
        query = {"_id": reply.id, "tenant_id": reply.tenant_id}
        fields = await with_unknown_fields(
            self._mongo, COLLECTION, query, lambda row: _fields(_to_reply(row)), _fields(reply)
        )
        async with self._stay_within(reply, limit):
            try:
                before = await self._mongo[COLLECTION].find_one_and_update(query, {"$set": fields}, _ATTACHED)
            except DuplicateKeyError as exc:
                raise ShortcutTaken from exc
        if before is None:
            raise CannedReplyNotFound
        await self._keep_file(reply)
        await self._let_expire([before], kept=reply.file)

    def _stay_within(self, reply: CannedReply, limit: int | None) -> AbstractAsyncContextManager[None]:
        if limit is None:
            return nullcontext()
        group = {"tenant_id": reply.tenant_id, "audience": reply.audience}
        return stay_within(self._mongo, COLLECTION, group, [reply.id], limit, TooManyCannedReplies)

    async def delete(self, tenant_id: int, reply_id: int) -> bool:
        document = await self._mongo[COLLECTION].find_one_and_delete({"_id": reply_id, "tenant_id": tenant_id})
        if document is not None:
            await self._let_expire([document])
        return document is not None

    async def list_audiences(self) -> list[tuple[int, str]]:
        group = {"$group": {"_id": {"tenant_id": "$tenant_id", "audience": "$audience"}}}
        cursor = await self._mongo[COLLECTION].aggregate([{"$sort": {"tenant_id": 1, "audience": 1}}, group])
        return [(row["_id"]["tenant_id"], row["_id"]["audience"]) async for row in cursor]

    async def delete_audience(self, tenant_id: int, audience: str) -> None:
        query = {"tenant_id": tenant_id, "audience": audience}
        documents = await self._mongo[COLLECTION].find(query, _ATTACHED).to_list()
        await self._mongo[COLLECTION].delete_many(query)
        await self._let_expire(documents)

    async def increment_use_count(self, tenant_id: int, reply_id: int) -> int:
        document = await self._mongo[COLLECTION].find_one_and_update(
            {"_id": reply_id, "tenant_id": tenant_id},
            {"$inc": {"use_count": 1}},
            projection={"use_count": 1},
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            raise CannedReplyNotFound
        return int(document["use_count"])

    async def _keep_file(self, reply: CannedReply) -> None:
        if reply.file is not None:
            await self._mongo["files"].update_one({"_id": reply.file.id}, {"$unset": {"expires_at": ""}})

    async def _let_expire(self, replies: Sequence[Document], kept: FileSchema | None = None) -> None:
        """Let what replies have shown expire: visitors' images, and files but the one that is `kept`.

        A file that a message or a reply shows does not expire.
        """
        expiry = {"$set": {"expires_at": self._clock() + SENDING_TIME}}
        images = [reply["image_name"] for reply in replies if reply.get("image_name")]
        await self._mongo["uploads"].update_many({"_id": {"$in": images}, "session": {"$type": "string"}}, expiry)
        files = {reply["file"]["id"] for reply in replies if reply.get("file")} - {kept.id if kept else None}
        if files:
            await self._mongo["files"].update_many({"_id": {"$in": sorted(files)}}, expiry)


def _fields(reply: CannedReply) -> Document:
    terms = dict.fromkeys([fold(reply.shortcut), *split_words(f"{reply.shortcut} {reply.text}")])
    return {
        "tenant_id": reply.tenant_id,
        "operator_id": reply.operator_id,
        "audience": reply.audience,
        "scope": reply.scope,
        "site_id": reply.site_id,
        "shortcut": reply.shortcut,
        "shortcut_folded": fold(reply.shortcut),
        "text": reply.text,
        "image_url": reply.image_url,
        "image_name": image_name(reply.image_url),
        "file": None if reply.file is None else reply.file.model_dump(),
        "quick_replies": [one.model_dump() for one in reply.quick_replies],
        "updated_at": reply.updated_at,
        "terms": list(terms)[:_MAX_TERMS],
    }


def _to_reply(document: Document) -> CannedReply:
    return CannedReply(
        id=document["_id"],
        tenant_id=document["tenant_id"],
        operator_id=document["operator_id"],
        scope=document["scope"],
        site_id=document["site_id"],
        shortcut=document["shortcut"],
        text=document["text"],
        image_url=document["image_url"],
        # The previous version writes none.
        file=FileSchema.model_validate(document["file"]) if document.get("file") else None,
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        use_count=document["use_count"],
        quick_replies=tuple(QuickReply.model_validate(one) for one in document.get("quick_replies", ())),
    )
