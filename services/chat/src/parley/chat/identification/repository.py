"""Ended sessions in MongoDB, and what moves to a person that was stored under a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pymongo.errors import DuplicateKeyError

from parley.chat.files.repository import COLLECTION as FILES
from parley.chat.identification.model import EndedSession
from parley.chat.triggers.repository import COLLECTION as SHOWN_TRIGGERS
from parley.chat.uploads.repository import COLLECTION as UPLOADS
from parley.chat.visitors.model import Visitor
from parley.common.events import Event
from parley.common.mongodb import Document, Index, Mongo, Outbox, to_outbox_entry

COLLECTION = "ended_sessions"

INDEXES = [
    Index(COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
    Index(
        COLLECTION,
        [("site_id", 1), ("person", 1)],
        {"name": "person", "partialFilterExpression": {"person": {"$type": "string"}}},
    ),
]


@dataclass(frozen=True, slots=True)
class MongoEndedSessions:
    """Implements EndedSessions."""

    mongo: Mongo
    outbox: Outbox

    async def add(self, session: EndedSession, event: Event) -> EndedSession:
        document: Document = {
            "_id": session.key,
            "tenant_id": session.tenant_id,
            "site_id": session.site_id,
            "fingerprint": session.fingerprint,
            "person": session.person,
            "ended_at": session.ended_at,
            "expires_at": session.expires_at,
            "outbox": [to_outbox_entry(event)],
        }
        try:
            await self.mongo[COLLECTION].insert_one(document)
        except DuplicateKeyError:
            # None: it has expired just now.
            return await self.find(session.site_id, session.fingerprint) or session
        self.outbox.enqueue(COLLECTION, document)
        return session

    async def find(self, site_id: int, fingerprint: str) -> EndedSession | None:
        row = await self.mongo[COLLECTION].find_one({"_id": f"{site_id}:{fingerprint}"})
        if row is None:
            return None
        return EndedSession(
            row["tenant_id"], row["site_id"], row["fingerprint"], row["ended_at"], row["expires_at"], row["person"]
        )


@dataclass(frozen=True, slots=True)
class MongoSessionContent:
    """Implements SessionContent."""

    mongo: Mongo

    async def assign_messages(self, conversation_ids: Sequence[int], person: Visitor) -> None:
        if conversation_ids:
            # Their ids: a message that the widget sends again is recognized under the person's session.
            await self.mongo["messages"].update_many(
                {"conversation_id": {"$in": list(conversation_ids)}, "tenant_id": person.tenant_id},
                {"$set": {"visitor_key": person.key, "session": person.session}},
            )

    async def assign_uploads(self, session: str, person: Visitor) -> None:
        uploaded = {"site_id": person.site_id, "session": {"$eq": session, "$type": "string"}}
        for collection in (UPLOADS, FILES):
            await self.mongo[collection].update_many(uploaded, {"$set": {"session": person.session}})

    async def assign_triggers(self, session: str, person: Visitor) -> None:
        triggers = self.mongo[SHOWN_TRIGGERS]
        shown = {"site_id": person.site_id, "session": session}
        async for document in triggers.find(shown, {"_id": 1}):
            try:
                await triggers.update_one(document, {"$set": {"session": person.session}})
            except DuplicateKeyError:
                # The person was shown it on another device.
                await triggers.delete_one(document)
