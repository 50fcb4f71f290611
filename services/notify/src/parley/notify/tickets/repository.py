"""Tickets in MongoDB, by digest. A TTL index removes those that were not redeemed."""

from __future__ import annotations

from datetime import datetime

from parley.common.mongodb import Index, Mongo
from parley.notify.tickets.model import Ticket

_COLLECTION = "tickets"

INDEXES = (Index(_COLLECTION, [("good_until", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),)


class MongoTicketRepository:
    """The `TicketRepository` on MongoDB."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def insert(self, digest: str, ticket: Ticket) -> None:
        await self._mongo[_COLLECTION].insert_one(
            {
                "_id": digest,
                "operator_id": ticket.operator_id,
                "session_id": ticket.session_id,
                "expires_at": ticket.expires_at,
                "good_until": ticket.valid_until,
                "api_key_hash": ticket.api_key_hash,
            }
        )

    async def pop(self, digest: str, now: datetime) -> Ticket | None:
        row = await self._mongo[_COLLECTION].find_one_and_delete({"_id": digest, "good_until": {"$gt": now}})
        if row is None:
            return None
        # A replica of the version before issues tickets without the hash.
        return Ticket(
            row["operator_id"], row["session_id"], row["expires_at"], row["good_until"], row.get("api_key_hash")
        )
