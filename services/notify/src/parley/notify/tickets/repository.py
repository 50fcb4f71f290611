"""Tickets in MongoDB, by digest; the database forgets what nobody redeemed."""

from __future__ import annotations

from datetime import datetime

from parley.common.mongodb import Index, Mongo
from parley.notify.tickets.service import Ticket

_NAME = "tickets"

INDEXES = (Index(_NAME, [("good_until", 1)], {"expireAfterSeconds": 0, "name": "expiry"}),)


class MongoTickets:
    """A TicketStore."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def put(self, digest: str, ticket: Ticket) -> None:
        await self._mongo[_NAME].insert_one(
            {
                "_id": digest,
                "operator_id": ticket.operator_id,
                "session_id": ticket.session_id,
                "expires_at": ticket.expires_at,
                "good_until": ticket.good_until,
            }
        )

    async def take(self, digest: str, now: datetime) -> Ticket | None:
        found = await self._mongo[_NAME].find_one_and_delete({"_id": digest, "good_until": {"$gt": now}})
        if found is None:
            return None
        return Ticket(found["operator_id"], found["session_id"], found["expires_at"], found["good_until"])
