"""A visitor's personal data in chat's collections, and a record of each erasure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from pymongo import ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from parley.chat.audit.model import AuditEntry
from parley.chat.audit.repository import COLLECTION as AUDIT
from parley.chat.audit.repository import to_document as audit_document
from parley.chat.canned_replies.repository import COLLECTION as CANNED_REPLIES
from parley.chat.conversations.mappers import to_conversation
from parley.chat.conversations.model import Conversation
from parley.chat.files.repository import COLLECTION as FILES
from parley.chat.files.repository import find_files
from parley.chat.identification.repository import COLLECTION as ENDED_SESSIONS
from parley.chat.messages.model import Message
from parley.chat.messages.ports import MessageRepository
from parley.chat.privacy.model import DataCounts, Erasure, ErasureResult, StoredConversation, StoredPersonalData
from parley.chat.privacy.ports import DerivedData
from parley.chat.search.index import SearchIndex
from parley.chat.triggers.repository import COLLECTION as SHOWN_TRIGGERS
from parley.chat.triggers.repository import to_shown_trigger
from parley.chat.uploads.model import image_name
from parley.chat.uploads.repository import query_shown_images
from parley.chat.visitors.model import DataSubject
from parley.chat.visitors.ports import VisitorRepository
from parley.common.events import Actor, Event
from parley.common.mongodb import Document, Index, Mongo, Outbox, OutboxInsert, to_outbox_entry

COLLECTION = "erasures"
_MESSAGES_PER_READ = 1000
_DUPLICATE_KEY = 11000

INDEXES = [
    Index(COLLECTION, [("due", 1)], {"name": "due", "partialFilterExpression": {"due": {"$type": "date"}}}),
    Index(
        "uploads",
        [("site_id", 1), ("session", 1)],
        {"name": "of_visitor", "partialFilterExpression": {"session": {"$type": "string"}}},
    ),
    # An operator may have sent one image to several visitors: it stays as long as a message of one of them shows it.
    Index(
        "messages",
        [("image_name", 1)],
        {"name": "image_name", "partialFilterExpression": {"image_name": {"$type": "string"}}},
    ),
    # For messages that the previous version writes, without the name.
    Index(
        "messages",
        [("image_url", 1)],
        {"name": "image", "partialFilterExpression": {"image_url": {"$type": "string"}}},
    ),
]


class MongoPersonalDataRepository:
    """Implements PersonalDataRepository."""

    def __init__(
        self,
        mongo: Mongo,
        outbox: Outbox,
        messages: MessageRepository,
        visitors: VisitorRepository,
        image_base: str,
        derived: Sequence[DerivedData] = (),
    ) -> None:
        """`image_base` is what precedes the name in an image's URL."""
        self._derived = derived
        self._mongo = mongo
        self._outbox = outbox
        self._messages = messages
        self._visitors = visitors
        self._search_index = SearchIndex(mongo)
        self._image_base = image_base

    async def collect(self, subject: DataSubject) -> StoredPersonalData:
        visitor = await self._visitors.find(subject.tenant_id, subject.site_id, subject.session)
        conversations = []
        rows = self._mongo["conversations"].find(_conversations_filter(subject))
        async for row in rows.sort([("created_at", 1), ("_id", 1)]):
            conversation = to_conversation(row)
            messages = await self._list_messages(conversation)
            notes = await self._messages.list_notes(conversation)
            conversations.append(StoredConversation(conversation, messages, notes))
        sent = _image_names(message.image_url for stored in conversations for message in stored.messages)
        ids = [stored.conversation.id for stored in conversations]
        return StoredPersonalData(
            visitor,
            conversations,
            sorted({*await self._list_uploads(subject), *sent}),
            await find_files(self._mongo, await self._list_files(subject, ids)),
            [text for source in self._derived for text in await source.list_texts(ids)],
            [to_shown_trigger(row) async for row in self._mongo[SHOWN_TRIGGERS].find(_triggers_filter(subject))],
        )

    async def count(self, subject: DataSubject) -> DataCounts:
        ids = await self._list_conversation_ids(subject)
        in_conversations = {"conversation_id": {"$in": ids}}
        images = {*await self._list_uploads(subject), *await self._list_sent_images(ids)}
        files = await self._list_files(subject, ids)
        return DataCounts(
            visitors=await self._mongo["visitors"].count_documents({"_id": subject.key, "erasure": {"$exists": False}}),
            conversations=len(ids),
            messages=await self._mongo["messages"].count_documents(in_conversations),
            notes=await self._mongo["notes"].count_documents(in_conversations),
            images=len(images),
            files=len(files),
            triggers=await self._mongo[SHOWN_TRIGGERS].count_documents(_triggers_filter(subject)),
        )

    async def find_subjects_by_email(self, site_id: int, email: str) -> Sequence[DataSubject]:
        tenant_id = await self._find_tenant_id(site_id)
        if tenant_id is None:
            return []
        query = {
            "tenant_id": tenant_id,
            "site_id": site_id,
            "lead_at": {"$type": "date"},
            "email": {"$regex": f"^{re.escape(email)}$", "$options": "i"},
        }
        rows = self._mongo["visitors"].find(query, {"session": 1}, hint="leads")
        return [DataSubject(tenant_id, site_id, row["session"]) async for row in rows]

    async def find_subject(self, site_id: int, session: str) -> DataSubject | None:
        tenant_id = await self._find_tenant_id(site_id)
        return None if tenant_id is None else DataSubject(tenant_id, site_id, session)

    async def _find_tenant_id(self, site_id: int) -> int | None:
        # Deleted sites too: their conversations are kept.
        site = await self._mongo["sites"].find_one({"_id": site_id}, {"tenant_id": 1})
        return None if site is None else site["tenant_id"]

    async def begin(self, erasure: Erasure, at: datetime, due: datetime, entry: AuditEntry) -> bool:
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
        # The record first: after a crash in between, a placeholder without a record would never be removed.
        await self._mongo[COLLECTION].insert_one(record)
        if await self._put_placeholder(erasure):
            return True
        await self._mongo[COLLECTION].delete_one({"_id": erasure.id})
        return False

    async def delete_stored(self, erasure: Erasure) -> ErasureResult:
        await self._put_placeholder(erasure)
        subject = erasure.subject
        ids = await self._list_conversation_ids(subject)
        all_ids = [*erasure.conversation_ids, *ids]
        uploaded = await self._list_uploads(subject)
        images = [*uploaded, *await self._list_sent_images(all_ids)]
        files = await self._list_files(subject, all_ids)
        # Recorded before the deletion: after a crash, nothing can be found by its conversation.
        record = await self._mongo[COLLECTION].find_one_and_update(
            {"_id": erasure.id},
            {
                "$addToSet": {
                    "conversation_ids": {"$each": ids},
                    "images": {"$each": images},
                    "files": {"$each": files},
                }
            },
            return_document=ReturnDocument.AFTER,
        )
        if record is not None:
            all_ids, images, files = record["conversation_ids"], record["images"], record["files"]
        closed = await self._delete_conversations(ids)
        # What is left of a session that has ended is its handle, and that of the person whom it had joined.
        await self._mongo[ENDED_SESSIONS].delete_many({"_id": subject.key, "tenant_id": subject.tenant_id})
        await self._mongo[ENDED_SESSIONS].delete_many(
            {"site_id": subject.site_id, "person": {"$eq": subject.session, "$type": "string"}}
        )
        await self._search_index.remove_conversations(all_ids)
        for source in self._derived:
            await source.remove(all_ids)
        in_conversations = {"conversation_id": {"$in": all_ids}}
        messages = await self._mongo["messages"].delete_many(in_conversations)
        notes = await self._mongo["notes"].delete_many(in_conversations)
        triggers = await self._mongo[SHOWN_TRIGGERS].delete_many(_triggers_filter(subject))
        await self._remove_from_replies(uploaded)
        unused_images = sorted({*uploaded, *await self._filter_unused_images(images)})
        unused_files = await self._filter_unused_files(files)
        counts = DataCounts(
            conversations=len(ids),
            messages=messages.deleted_count,
            notes=notes.deleted_count,
            images=len(unused_images),
            files=len(unused_files),
            triggers=triggers.deleted_count,
        )
        return ErasureResult(counts, closed, tuple(all_ids), tuple(unused_images), tuple(unused_files))

    async def _filter_unused_files(self, file_ids: Sequence[str]) -> list[str]:
        """The files that nothing shows: an operator may have sent one to several visitors or in a canned reply."""
        query = {"file.id": {"$in": list(file_ids), "$type": "string"}}
        used = {
            file_id
            for collection in ("messages", CANNED_REPLIES)
            for file_id in await self._mongo[collection].distinct("file.id", query)
        }
        return [file_id for file_id in file_ids if file_id not in used]

    async def delete_image_records(self, names: Sequence[str]) -> None:
        await self._mongo["uploads"].delete_many({"_id": {"$in": list(names)}})

    async def delete_file_records(self, ids: Sequence[str]) -> None:
        await self._mongo[FILES].delete_many({"_id": {"$in": list(ids)}})

    async def record_result(self, erasure: Erasure, events: Sequence[Event], counts: DataCounts) -> None:
        record = await self._mongo[COLLECTION].find_one({"_id": erasure.id}, {"audit": 1}) or {}
        inserts = [OutboxInsert(AUDIT, record["audit"])] if "audit" in record else []
        entries = [to_outbox_entry(event, *(inserts if event is events[0] else ())) for event in events]
        row = await self._mongo[COLLECTION].find_one_and_update(
            {"_id": erasure.id},
            {
                "$push": {"outbox": {"$each": entries}},
                "$inc": {f"erased.{name}": getattr(counts, name) for name in DataCounts.__dataclass_fields__},
                "$unset": {"audit": ""},
            },
            return_document=ReturnDocument.AFTER,
        )
        if row is not None:
            self._outbox.enqueue(COLLECTION, row)

    async def claim(self, now: datetime, until: datetime) -> Erasure | None:
        row = await self._mongo[COLLECTION].find_one_and_update(
            {"due": {"$lte": now, "$type": "date"}}, {"$set": {"due": until}}, sort=[("due", 1)]
        )
        if row is None:
            return None
        return Erasure(
            row["_id"],
            DataSubject(row["tenant_id"], row["site_id"], row["session"]),
            Actor.model_validate(row["actor"]),
            tuple(row.get("conversation_ids", ())),
            row.get("lifting", False),
        )

    async def release(self, erasure: Erasure, at: datetime) -> None:
        # Marked before the placeholder is removed: if this process ends in between, the next one only releases.
        await self._mongo[COLLECTION].update_one({"_id": erasure.id}, {"$set": {"lifting": True}})
        await self._mongo["visitors"].delete_one({"_id": erasure.subject.key, "erasure": erasure.id})
        identifying = dict.fromkeys(("session", "actor", "conversation_ids", "images", "files", "due", "lifting"), "")
        await self._mongo[COLLECTION].update_one(
            {"_id": erasure.id}, {"$set": {"finished_at": at}, "$unset": identifying}
        )

    async def _put_placeholder(self, erasure: Erasure) -> bool:
        """Replace the visitor by a placeholder. Returns False if there is one of another erasure."""
        subject = erasure.subject
        placeholder = {
            "tenant_id": subject.tenant_id,
            "site_id": subject.site_id,
            "session": subject.session,
            "erasure": erasure.id,
        }
        try:
            await self._mongo["visitors"].replace_one(
                {"_id": subject.key, "erasure": {"$in": [None, erasure.id]}}, placeholder, upsert=True
            )
        except DuplicateKeyError:
            return False
        return True

    async def _list_conversation_ids(self, subject: DataSubject) -> list[int]:
        rows = self._mongo["conversations"].find(_conversations_filter(subject), {"_id": 1})
        return [row["_id"] async for row in rows]

    async def _delete_conversations(self, ids: Sequence[int]) -> list[Conversation]:
        """Delete conversations. Returns those that were open, as they were when they were deleted."""
        closed = []
        for conversation_id in ids:
            row = await self._mongo["conversations"].find_one_and_delete({"_id": conversation_id})
            if row is None:
                continue
            await self._keep_audit_entries(row)
            if row["open"]:
                closed.append(to_conversation(row))
        return closed

    async def _keep_audit_entries(self, row: Document) -> None:
        """Insert the audit entries that a deleted conversation still had in its outbox: they are not visitor data."""
        documents = [
            insert["document"]
            for entry in row.get("outbox", ())
            for insert in entry.get("carried", ())
            if insert["into"] == AUDIT
        ]
        if documents:
            try:
                await self._mongo[AUDIT].insert_many(documents, ordered=False)
            except BulkWriteError as exc:
                if any(error["code"] != _DUPLICATE_KEY for error in exc.details["writeErrors"]):
                    raise

    async def _list_messages(self, conversation: Conversation) -> list[Message]:
        messages: list[Message] = []
        while True:
            last_seq = messages[-1].seq if messages else 0
            page = await self._messages.list_for_conversation(
                conversation, after_seq=last_seq, limit=_MESSAGES_PER_READ
            )
            messages += page
            if len(page) < _MESSAGES_PER_READ:
                return messages

    async def _list_uploads(self, subject: DataSubject) -> list[str]:
        query = _uploads_filter(subject)
        return [row["_id"] async for row in self._mongo["uploads"].find(query, {"_id": 1})]

    async def _list_sent_images(self, conversation_ids: Sequence[int]) -> list[str]:
        query = {"conversation_id": {"$in": list(conversation_ids)}, "image_url": {"$type": "string"}}
        urls = [row["image_url"] async for row in self._mongo["messages"].find(query, {"image_url": 1})]
        return _image_names(urls)

    async def _list_files(self, subject: DataSubject, conversation_ids: Sequence[int]) -> list[str]:
        """List the ids of the files in conversations, and of those that the visitor uploaded."""
        query = _uploads_filter(subject)
        uploaded = [row["_id"] async for row in self._mongo[FILES].find(query, {"_id": 1})]
        in_conversations = {"conversation_id": {"$in": list(conversation_ids)}, "file.id": {"$type": "string"}}
        sent = await self._mongo["messages"].distinct("file.id", in_conversations)
        return sorted({*uploaded, *sent})

    async def _remove_from_replies(self, images: Sequence[str]) -> None:
        """Remove a visitor's images from canned replies: earlier versions accepted them there."""
        await self._mongo[CANNED_REPLIES].update_many(
            query_shown_images([self._image_base + name for name in images]),
            {"$set": {"image_url": None, "image_name": None}},
        )

    async def _filter_unused_images(self, names: Sequence[str]) -> list[str]:
        """Return the images that no message and no canned reply shows any more."""
        urls = [self._image_base + name for name in names]
        query = query_shown_images(urls)
        used = {
            *await self._mongo["messages"].distinct("image_url", query),
            *await self._mongo[CANNED_REPLIES].distinct("image_url", query),
        }
        used_names = set(_image_names(used))
        return [name for name in names if name not in used_names]


def _image_names(urls: Iterable[str | None]) -> list[str]:
    return [name for url in urls if (name := image_name(url)) is not None]


def _conversations_filter(subject: DataSubject) -> Document:
    return {"visitor_key": subject.key, "tenant_id": subject.tenant_id}


def _triggers_filter(subject: DataSubject) -> Document:
    return {"tenant_id": subject.tenant_id, "site_id": subject.site_id, "session": subject.session}


def _uploads_filter(subject: DataSubject) -> Document:
    # With its type, since the indexes are partial by it.
    return {
        "tenant_id": subject.tenant_id,
        "site_id": subject.site_id,
        "session": {"$eq": subject.session, "$type": "string"},
    }
