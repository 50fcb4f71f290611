"""Where chat's part of what is known of a visitor lies, and how it is taken away; a record for each erasure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from pymongo import ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from parley.chat.audit.repository import COLLECTION as AUDIT
from parley.chat.audit.repository import document_of as audit_document
from parley.chat.audit.service import Entry
from parley.chat.conversations.mappers import conversation_of
from parley.chat.conversations.model import Conversation, Message, Subject
from parley.chat.messages.repository import MongoMessages
from parley.chat.privacy.service import Counts, Erasure, Kept, KeptConversation, Wiped
from parley.chat.visitors.repository import MongoVisitors
from parley.common.events import Actor, Event
from parley.common.mongodb import Document, Index, Mongo, Outbox, Projection, entry_of

COLLECTION = "erasures"
_PAGE = 1000
_DUPLICATE_KEY = 11000

INDEXES = [
    Index(COLLECTION, [("due", 1)], {"name": "due", "partialFilterExpression": {"due": {"$type": "date"}}}),
    Index(
        "uploads",
        [("site_id", 1), ("session", 1)],
        {"name": "of_visitor", "partialFilterExpression": {"session": {"$type": "string"}}},
    ),
    # An operator may have sent one image to several visitors: it stays for as long as one of them is left.
    Index(
        "messages",
        [("image_url", 1)],
        {"name": "image", "partialFilterExpression": {"image_url": {"$type": "string"}}},
    ),
]


class MongoPersonalData:
    """The domain's PersonalDataStore."""

    def __init__(
        self, mongo: Mongo, outbox: Outbox, messages: MongoMessages, visitors: MongoVisitors, image_base: str
    ) -> None:
        self._mongo = mongo
        self._outbox = outbox
        self._messages = messages
        self._visitors = visitors
        self._image_base = image_base

    async def gather(self, subject: Subject) -> Kept:
        visitor = await self._visitors.find(subject.tenant_id, subject.site_id, subject.session)
        conversations = []
        async for row in self._mongo["conversations"].find(_of(subject)).sort([("created_at", 1), ("_id", 1)]):
            found = conversation_of(row)
            conversations.append(
                KeptConversation(found, await self._said_in(found), await self._messages.notes_of(found))
            )
        said = [message for one in conversations for message in one.messages]
        uploaded = await self._uploaded(subject)
        return Kept(visitor, conversations, sorted({*uploaded, *self._names(message.image_url for message in said)}))

    async def count(self, subject: Subject) -> Counts:
        ids = await self._conversations(subject)
        among = {"conversation_id": {"$in": ids}}
        images = {*await self._uploaded(subject), *await self._sent_in(ids)}
        return Counts(
            visitors=await self._mongo["visitors"].count_documents({"_id": subject.key, "erasure": {"$exists": False}}),
            conversations=len(ids),
            messages=await self._mongo["messages"].count_documents(among),
            notes=await self._mongo["notes"].count_documents(among),
            images=len(images),
        )

    async def with_address(self, site_id: int, email: str) -> Sequence[Subject]:
        site = await self._mongo["sites"].find_one({"_id": site_id}, {"tenant_id": 1})
        if site is None:
            return []
        wanted = {
            "tenant_id": site["tenant_id"],
            "site_id": site_id,
            "lead_at": {"$type": "date"},
            "email": {"$regex": f"^{re.escape(email)}$", "$options": "i"},
        }
        found = self._mongo["visitors"].find(wanted, {"tenant_id": 1, "session": 1}, hint="leads")
        return [Subject(row["tenant_id"], site_id, row["session"]) async for row in found]

    async def of_site(self, site_id: int, session: str) -> Subject | None:
        # Deleted sites too: what was said on them is kept, and has to be found.
        site = await self._mongo["sites"].find_one({"_id": site_id}, {"tenant_id": 1})
        return None if site is None else Subject(site["tenant_id"], site_id, session)

    async def begin(self, erasure: Erasure, at: datetime, due: datetime, entry: Entry) -> bool:
        subject = erasure.subject
        record = {
            "_id": erasure.id,
            "tenant_id": subject.tenant_id,
            "site_id": subject.site_id,
            "session": subject.session,
            "actor": erasure.actor.model_dump(),
            "at": at,
            "due": due,
            "audit": audit_document(entry),
        }
        # The record first: a gate that nobody would ever lift must not come of a crash.
        await self._mongo[COLLECTION].insert_one(record)
        if await self._gate(erasure):
            return True
        await self._mongo[COLLECTION].delete_one({"_id": erasure.id})
        return False

    async def wipe(self, erasure: Erasure) -> Wiped:
        await self._gate(erasure)
        subject = erasure.subject
        ids = await self._conversations(subject)
        everything = [*erasure.conversation_ids, *ids]
        names = [*await self._uploaded(subject), *await self._sent_in(everything)]
        # What is about to go is written down first: after a crash it is not found by what it belonged to.
        record = await self._mongo[COLLECTION].find_one_and_update(
            {"_id": erasure.id},
            {"$addToSet": {"conversation_ids": {"$each": ids}, "images": {"$each": names}}},
            return_document=ReturnDocument.AFTER,
        )
        everything = record["conversation_ids"] if record else everything
        were_open = await self._delete_conversations(ids)
        among = {"conversation_id": {"$in": everything}}
        messages = await self._mongo["messages"].delete_many(among)
        notes = await self._mongo["notes"].delete_many(among)
        images = await self._nobody_elses(record["images"] if record else names)
        counts = Counts(
            conversations=len(ids), messages=messages.deleted_count, notes=notes.deleted_count, images=len(images)
        )
        return Wiped(counts, were_open, tuple(everything), tuple(images))

    async def drop_images(self, names: Sequence[str]) -> None:
        await self._mongo["uploads"].delete_many({"_id": {"$in": list(names)}})

    async def tell(self, erasure: Erasure, events: Sequence[Event], counts: Counts) -> None:
        record = await self._mongo[COLLECTION].find_one({"_id": erasure.id}, {"audit": 1}) or {}
        luggage = [Projection(AUDIT, record["audit"])] if "audit" in record else []
        entries = [entry_of(event, *(luggage if event is events[0] else ())) for event in events]
        after = await self._mongo[COLLECTION].find_one_and_update(
            {"_id": erasure.id},
            {
                "$push": {"outbox": {"$each": entries}},
                "$inc": {f"erased.{name}": getattr(counts, name) for name in Counts.__dataclass_fields__},
                "$unset": {"audit": ""},
            },
            return_document=ReturnDocument.AFTER,
        )
        if after is not None:
            self._outbox.tell(COLLECTION, after)

    async def claim(self, now: datetime, until: datetime) -> Erasure | None:
        row = await self._mongo[COLLECTION].find_one_and_update(
            {"due": {"$lte": now, "$type": "date"}}, {"$set": {"due": until}}, sort=[("due", 1)]
        )
        if row is None:
            return None
        return Erasure(
            row["_id"],
            Subject(row["tenant_id"], row["site_id"], row["session"]),
            Actor.model_validate(row["actor"]),
            tuple(row.get("conversation_ids", ())),
            row.get("lifting", False),
        )

    async def lift(self, erasure: Erasure, at: datetime) -> None:
        # Marked before the gate is gone: should we die in between, who comes after only lifts it.
        await self._mongo[COLLECTION].update_one({"_id": erasure.id}, {"$set": {"lifting": True}})
        await self._mongo["visitors"].delete_one({"_id": erasure.subject.key, "erasure": erasure.id})
        forgotten = dict.fromkeys(("session", "actor", "conversation_ids", "images", "due", "lifting"), "")
        await self._mongo[COLLECTION].update_one(
            {"_id": erasure.id}, {"$set": {"finished_at": at}, "$unset": forgotten}
        )

    async def _gate(self, erasure: Erasure) -> bool:
        """Put the gate in the visitor's place. False where another erasure's stands there."""
        subject = erasure.subject
        gate = {
            "tenant_id": subject.tenant_id,
            "site_id": subject.site_id,
            "session": subject.session,
            "erasure": erasure.id,
        }
        try:
            await self._mongo["visitors"].replace_one(
                {"_id": subject.key, "erasure": {"$in": [None, erasure.id]}}, gate, upsert=True
            )
        except DuplicateKeyError:
            return False
        return True

    async def _conversations(self, subject: Subject) -> list[int]:
        return [row["_id"] async for row in self._mongo["conversations"].find(_of(subject), {"_id": 1})]

    async def _delete_conversations(self, ids: Sequence[int]) -> list[Conversation]:
        """Each as it was in the moment it went: who changes it at the same time finds it gone."""
        were_open = []
        for conversation_id in ids:
            row = await self._mongo["conversations"].find_one_and_delete({"_id": conversation_id})
            if row is None:
                continue
            await self._keep_audit(row)
            if row["open"]:
                were_open.append(conversation_of(row))
        return were_open

    async def _keep_audit(self, row: Document) -> None:
        """Lines of the audit log that still ride in the conversation are not the visitor's."""
        carried = [
            one["document"]
            for entry in row.get("outbox", ())
            for one in entry.get("carried", ())
            if one["into"] == AUDIT
        ]
        if carried:
            try:
                await self._mongo[AUDIT].insert_many(carried, ordered=False)
            except BulkWriteError as exc:
                if any(fault["code"] != _DUPLICATE_KEY for fault in exc.details["writeErrors"]):
                    raise

    async def _said_in(self, conversation: Conversation) -> list[Message]:
        said: list[Message] = []
        while True:
            last = said[-1].seq if said else 0
            page = await self._messages.of_conversation(conversation, after_seq=last, limit=_PAGE)
            said += page
            if len(page) < _PAGE:
                return said

    async def _uploaded(self, subject: Subject) -> list[str]:
        wanted = {"tenant_id": subject.tenant_id, "site_id": subject.site_id, "session": subject.session}
        return [row["_id"] async for row in self._mongo["uploads"].find(wanted, {"_id": 1})]

    async def _sent_in(self, conversation_ids: Sequence[int]) -> list[str]:
        with_image = {"conversation_id": {"$in": list(conversation_ids)}, "image_url": {"$type": "string"}}
        sent = [row["image_url"] async for row in self._mongo["messages"].find(with_image, {"image_url": 1})]
        return self._names(sent)

    async def _nobody_elses(self, names: Sequence[str]) -> list[str]:
        """Those that no message shows any more."""
        urls = [self._image_base + name for name in names]
        shown = set(
            await self._mongo["messages"].distinct("image_url", {"image_url": {"$in": urls, "$type": "string"}})
        )
        return [name for name, url in zip(names, urls, strict=True) if url not in shown]

    def _names(self, urls: Iterable[str | None]) -> list[str]:
        return [
            url.removeprefix(self._image_base) for url in urls if url is not None and url.startswith(self._image_base)
        ]


def _of(subject: Subject) -> Document:
    return {"visitor_key": subject.key, "tenant_id": subject.tenant_id}
