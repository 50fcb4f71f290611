"""Login sessions in MongoDB; the database forgets them by itself when they run out."""

from __future__ import annotations

from datetime import datetime

from pymongo import ReturnDocument

from parley.chat.audit.repository import outbox_entry
from parley.chat.audit.service import Told
from parley.chat.sessions.service import Session
from parley.common.mongodb import Document, Index, Mongo, Outbox

COLLECTION = "sessions"

INDEXES = [
    Index(COLLECTION, [("family_hash", 1)], {"name": "family", "unique": True}),
    Index(COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
]


class MongoSessions:
    """A SessionStore."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox

    async def add(self, session: Session) -> None:
        await self._mongo[COLLECTION].insert_one(
            {
                "_id": session.id,
                "operator_id": session.operator_id,
                "tenant_id": session.tenant_id,
                "family_hash": session.family_hash,
                "rotation_hash": session.rotation_hash,
                "password_version": session.password_version,
                "created_at": session.created_at,
                "last_seen": session.last_seen,
                "expires_at": session.expires_at,
                "address": session.address,
                "ended_at": None,
            }
        )

    async def find(self, session_id: str) -> Session | None:
        row = await self._mongo[COLLECTION].find_one({"_id": session_id})
        return None if row is None else _session(row)

    async def by_family(self, family_hash: str) -> Session | None:
        row = await self._mongo[COLLECTION].find_one({"family_hash": family_hash})
        return None if row is None else _session(row)

    async def rotate(self, before: Session, after: Session) -> bool:
        done = await self._mongo[COLLECTION].update_one(
            {"_id": before.id, "rotation_hash": before.rotation_hash, "ended_at": None},
            {
                "$set": {
                    "rotation_hash": after.rotation_hash,
                    "last_seen": after.last_seen,
                    "expires_at": after.expires_at,
                    "address": after.address,
                }
            },
        )
        return done.matched_count == 1

    async def end(self, session_id: str, at: datetime, told: Told) -> bool:
        row = await self._mongo[COLLECTION].find_one_and_update(
            {"_id": session_id, "ended_at": None},
            {"$set": {"ended_at": at}, "$push": {"outbox": outbox_entry(told)}},
            {"outbox": 1},
            return_document=ReturnDocument.AFTER,
        )
        if row is not None:
            self._outbox.tell(COLLECTION, row)
        return row is not None


def _session(row: Document) -> Session:
    return Session(
        id=row["_id"],
        operator_id=row["operator_id"],
        tenant_id=row["tenant_id"],
        family_hash=row["family_hash"],
        rotation_hash=row["rotation_hash"],
        password_version=row["password_version"],
        created_at=row["created_at"],
        last_seen=row["last_seen"],
        expires_at=row["expires_at"],
        address=row["address"],
        ended_at=row["ended_at"],
    )
