"""Requests to send transcripts, and their daily limits, in MongoDB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pymongo.errors import DuplicateKeyError

from parley.chat.audit.model import AuditEntry
from parley.chat.audit.repository import COLLECTION as AUDIT
from parley.chat.audit.repository import to_document as audit_document
from parley.chat.timeouts import TRANSCRIPT_REQUEST_RETENTION
from parley.chat.transcripts.events import transcript_requested
from parley.chat.transcripts.model import TranscriptRequest
from parley.common.events.schemas import OperatorRef
from parley.common.mongodb import Document, Index, Mongo, Outbox, OutboxInsert, to_outbox_entry
from parley.common.runtime.clock import Clock

COLLECTION = "transcript_requests"
_COUNTS = "transcript_counts"
_COUNT_RETENTION = timedelta(days=2)

INDEXES = [
    Index(COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
    Index(COLLECTION, [("conversation_id", 1)], {"name": "conversation"}),
    Index(_COUNTS, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
]


@dataclass(frozen=True, slots=True)
class MongoTranscriptRequests:
    """Implements TranscriptRequests."""

    mongo: Mongo
    outbox: Outbox

    async def add(self, request: TranscriptRequest, entry: AuditEntry | None) -> None:
        inserts = [OutboxInsert(AUDIT, audit_document(entry))] if entry is not None else []
        by = request.requested_by
        document: Document = {
            "_id": request.id,
            "tenant_id": request.tenant_id,
            "site_id": request.site_id,
            "conversation_id": request.conversation_id,
            "session": request.session,
            "email": request.email,
            "language": request.language,
            "up_to_seq": request.up_to_seq,
            "requested_by": by.model_dump() if by is not None else None,
            "requested_at": request.requested_at,
            "expires_at": request.requested_at + TRANSCRIPT_REQUEST_RETENTION,
            "outbox": [to_outbox_entry(transcript_requested(request), *inserts)],
        }
        await self.mongo[COLLECTION].insert_one(document)
        self.outbox.enqueue(COLLECTION, document)

    async def find(self, request_id: str) -> TranscriptRequest | None:
        row = await self.mongo[COLLECTION].find_one({"_id": request_id})
        if row is None:
            return None
        by = row["requested_by"]
        return TranscriptRequest(
            id=row["_id"],
            tenant_id=row["tenant_id"],
            site_id=row["site_id"],
            conversation_id=row["conversation_id"],
            session=row["session"],
            email=row["email"],
            language=row["language"],
            up_to_seq=row["up_to_seq"],
            requested_by=OperatorRef(**by) if by is not None else None,
            requested_at=row["requested_at"],
        )


@dataclass(frozen=True, slots=True)
class MongoDailyLimits:
    """Implements DailyLimits. One conditional write a counter: requests at the same moment pass no limit together."""

    mongo: Mongo
    clock: Clock

    async def acquire(self, limits: Mapping[str, int]) -> bool:
        taken: list[str] = []
        for key, limit in limits.items():
            if not await self._take(key, limit):
                await self.mongo[_COUNTS].update_many({"_id": {"$in": taken}}, {"$inc": {"count": -1}})
                return False
            taken.append(key)
        return True

    async def _take(self, key: str, limit: int) -> bool:
        below_limit = {"_id": key, "count": {"$lt": limit}}
        count = {"$inc": {"count": 1}, "$setOnInsert": {"expires_at": self.clock() + _COUNT_RETENTION}}
        try:
            await self.mongo[_COUNTS].update_one(below_limit, count, upsert=True)
        except DuplicateKeyError:
            # The counter has reached its limit; or another request has just created it: then look again.
            result = await self.mongo[_COUNTS].update_one(below_limit, {"$inc": {"count": 1}})
            return result.matched_count == 1
        return True
