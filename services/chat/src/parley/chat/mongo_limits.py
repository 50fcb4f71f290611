"""Limits of how many documents a group may have. They hold for additions at the same moment, in any replica.

An addition first reserves its place in the group's document of this collection, then counts what is stored, and
gives the place up when it is stored itself. The one that reserves last counts the others: either as places before
its own, or as stored. Replicas of the version before only count.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError, PyMongoError

from parley.chat.timeouts import ADDITION_LEASE
from parley.common.errors import ParleyError
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "additions"

INDEXES = [Index(COLLECTION, [("expires_at", 1)], {"name": "expiry", "expireAfterSeconds": 0})]


@asynccontextmanager
async def stay_within(
    mongo: Mongo, collection: str, group: Document, ids: Sequence[int], limit: int, refusal: type[ParleyError]
) -> AsyncIterator[None]:
    """Store documents with these ids within the context. Raises `refusal` if the group has no room for them.

    `group` is the query that finds a group's documents; a document that is in it already is not counted twice.
    """
    key = f"{collection}:{sorted(group.items())}"
    pending = await _reserve(mongo, key, ids)
    others = [place for place in pending if place not in ids]
    try:
        before = len(pending[: pending.index(ids[0])])
        stored = {**group, "_id": {"$nin": [*others, *ids]}}
        if before + await mongo[collection].count_documents(stored, limit=limit) + len(ids) > limit:
            raise refusal
        yield
    except (ParleyError, DuplicateKeyError):
        await _release(mongo, key, ids)
        raise
    # After another error of the database, it is not known what is stored: then the places are kept until they expire.
    await _release(mongo, key, ids)


async def _reserve(mongo: Mongo, key: str, ids: Sequence[int]) -> list[int]:
    """Add places to a group's. Returns all of them, in their order."""
    # By the clock of the database: those of replicas differ.
    until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": ADDITION_LEASE.total_seconds()}}
    valid = {"$filter": {"input": {"$ifNull": ["$pending", []]}, "cond": {"$gt": ["$$this.until", "$$NOW"]}}}
    pending = {"$concatArrays": [valid, [{"id": one, "until": until} for one in ids]]}
    row = await mongo[COLLECTION].find_one_and_update(
        {"_id": key},
        [{"$set": {"pending": pending, "expires_at": until}}],
        {"pending.id": 1},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    assert row is not None, "an upsert returns the document"
    return [place["id"] for place in row["pending"]]


async def _release(mongo: Mongo, key: str, ids: Sequence[int]) -> None:
    # The documents are stored, or refused: an error here must not hide that. The places expire by themselves.
    with suppress(PyMongoError):
        await mongo[COLLECTION].update_one({"_id": key}, {"$pull": {"pending": {"id": {"$in": list(ids)}}}})
