"""Mail deliveries in MongoDB: one document per request.

`due` exists until the delivery is completed. A claim moves it to the end of a lease, so that another replica takes over
if the sender dies. A completed one is kept for some days, so that its event, delivered again, sends nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from parley.common.mongodb import Document, Index, Mongo
from parley.common.observability.logging import TraceContext
from parley.common.runtime.clock import to_rfc3339
from parley.notify.mail.model import MailDelivery
from parley.notify.timeouts import MAIL_LEASE_SECONDS

_COLLECTION = "mails"
_LEASE = timedelta(seconds=MAIL_LEASE_SECONDS)
_RETENTION = timedelta(days=4)
_IS_DUE: Document = {"due": {"$exists": True}}

INDEXES = (
    Index(_COLLECTION, [("due", 1)], {"name": "due", "partialFilterExpression": _IS_DUE}),
    Index(_COLLECTION, [("requested_at", 1)], {"name": "waiting", "partialFilterExpression": _IS_DUE}),
    Index(_COLLECTION, [("conversation_id", 1)], {"name": "conversation"}),
    Index(_COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0}),
)


class MongoMailDeliveryRepository:
    """The `MailDeliveryRepository` on MongoDB."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def add(self, delivery: MailDelivery) -> None:
        document = {
            "_id": delivery.id,
            "tenant_id": delivery.tenant_id,
            "site_id": delivery.site_id,
            "conversation_id": delivery.conversation_id,
            "requested_at": delivery.requested_at,
            "due": delivery.requested_at,
            "attempts": 0,
            "trace": [delivery.trace.request_id, delivery.trace.traceparent],
            "expires_at": delivery.requested_at + _RETENTION,
        }
        try:
            await self._mongo[_COLLECTION].insert_one(document)
        except DuplicateKeyError:
            return  # The event was delivered before.

    async def claim_due(self, now: datetime) -> MailDelivery | None:
        row = await self._mongo[_COLLECTION].find_one_and_update(
            {"due": {"$lte": now}},
            {"$set": {"due": now + _LEASE, "claim": secrets.token_hex(8)}},
            sort=[("due", 1)],
            return_document=ReturnDocument.AFTER,
        )
        if row is None:
            return None
        return MailDelivery(
            id=row["_id"],
            tenant_id=row["tenant_id"],
            site_id=row["site_id"],
            conversation_id=row["conversation_id"],
            requested_at=row["requested_at"],
            trace=TraceContext(*row["trace"]),
            attempts=row["attempts"],
            claim_id=row["claim"],
        )

    async def complete(self, delivery: MailDelivery, outcome: str) -> None:
        await self._mongo[_COLLECTION].update_one(
            _claimed(delivery),
            {"$set": {"outcome": outcome}, "$inc": {"attempts": 1}, "$unset": {"due": "", "claim": ""}},
        )

    async def reschedule(self, delivery: MailDelivery, due: datetime) -> None:
        await self._mongo[_COLLECTION].update_one(
            _claimed(delivery), {"$set": {"due": due}, "$inc": {"attempts": 1}, "$unset": {"claim": ""}}
        )

    async def find_oldest(self) -> datetime | None:
        row = await self._mongo[_COLLECTION].find_one(_IS_DUE, {"requested_at": 1}, sort=[("requested_at", 1)])
        return None if row is None else row["requested_at"]

    async def find_stored(self, conversation_ids: Sequence[int]) -> list[dict[str, Any]]:
        cursor = self._mongo[_COLLECTION].find({"conversation_id": {"$in": list(conversation_ids)}})
        return [
            {
                "conversation_id": row["conversation_id"],
                "requested_at": to_rfc3339(row["requested_at"]),
                "outcome": row.get("outcome"),
            }
            async for row in cursor
        ]

    async def delete_for_conversations(self, conversation_ids: Sequence[int]) -> None:
        await self._mongo[_COLLECTION].delete_many({"conversation_id": {"$in": list(conversation_ids)}})


def _claimed(delivery: MailDelivery) -> Document:
    return {"_id": delivery.id, "claim": delivery.claim_id}
