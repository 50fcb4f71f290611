"""Login sessions in MongoDB; expired ones are deleted by the database."""

from __future__ import annotations

from datetime import datetime

from pymongo import ReturnDocument

from parley.chat.audit.model import AuditedEvent
from parley.chat.audit.repository import audited_outbox_entry
from parley.chat.sessions.model import ReplacedToken, Session
from parley.common.mongodb import Document, Index, Mongo, Outbox

COLLECTION = "sessions"

INDEXES = [
    Index(COLLECTION, [("family_hash", 1)], {"name": "family", "unique": True}),
    Index(COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
]


class MongoSessionRepository:
    """Implements SessionRepository."""

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
                "address": session.client_ip,
                "rotation_key": session.rotation_key,
                "replaced": [],
                "ended_at": None,
            }
        )

    async def find(self, session_id: str) -> Session | None:
        return await self._find_one({"_id": session_id})

    async def find_by_family(self, family_hash: str) -> Session | None:
        return await self._find_one({"family_hash": family_hash})

    async def rotate(self, before: Session, after: Session) -> bool:
        result = await self._mongo[COLLECTION].update_one(
            {"_id": before.id, "rotation_hash": before.rotation_hash, "ended_at": None},
            {
                "$set": {
                    "rotation_hash": after.rotation_hash,
                    "last_seen": after.last_seen,
                    "expires_at": after.expires_at,
                    "address": after.client_ip,
                    "rotation_key": after.rotation_key,
                    "replaced": [{"hash": token.rotation_hash, "at": token.at} for token in after.replaced],
                }
            },
        )
        return result.matched_count == 1

    async def end(self, session_id: str, at: datetime, audited: AuditedEvent) -> bool:
        row = await self._mongo[COLLECTION].find_one_and_update(
            {"_id": session_id, "ended_at": None},
            {"$set": {"ended_at": at}, "$push": {"outbox": audited_outbox_entry(audited)}},
            {"outbox": 1},
            return_document=ReturnDocument.AFTER,
        )
        if row is not None:
            self._outbox.enqueue(COLLECTION, row)
        return row is not None

    async def _find_one(self, query: Document) -> Session | None:
        row = await self._mongo[COLLECTION].find_one(query)
        return None if row is None else _to_session(row)


def _to_session(row: Document) -> Session:
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
        client_ip=row["address"],
        # Sessions from before refresh tokens could be reused have neither.
        rotation_key=row.get("rotation_key"),
        replaced=tuple(ReplacedToken(token["hash"], token["at"]) for token in row.get("replaced", ())),
        ended_at=row["ended_at"],
    )
