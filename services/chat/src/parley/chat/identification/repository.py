"""Moves what is stored under a session to a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pymongo.errors import DuplicateKeyError

from parley.chat.files.repository import COLLECTION as FILES
from parley.chat.triggers.repository import COLLECTION as SHOWN_TRIGGERS
from parley.chat.uploads.repository import COLLECTION as UPLOADS
from parley.chat.visitors.model import Visitor
from parley.common.mongodb import Mongo


@dataclass(frozen=True, slots=True)
class MongoSessionContent:
    """Implements SessionContent."""

    mongo: Mongo

    async def assign(self, visitor: Visitor, person: Visitor, conversation_ids: Sequence[int]) -> None:
        if conversation_ids:
            # Their ids: a message that the widget sends again is recognized under the person's session.
            await self.mongo["messages"].update_many(
                {"conversation_id": {"$in": list(conversation_ids)}, "tenant_id": visitor.tenant_id},
                {"$set": {"visitor_key": person.key, "session": person.session}},
            )
        uploaded = {"site_id": visitor.site_id, "session": {"$eq": visitor.session, "$type": "string"}}
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
