"""The search index while two replicas of chat write, build segments and remove at the same time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.mongo_schema import SCHEMA
from parley.chat.search.index import DOCUMENTS, PAGES, SEGMENTS, SearchIndex
from parley.chat.search.model import SearchDocument, SearchScope
from parley.chat.search.repository import MongoSearchRepository
from parley.chat.search.segments import SegmentBuilder
from parley.chat.search.text import parse
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import utc_now

TENANT, SITE = 1, 2
MESSAGES, BATCH, SEGMENT_SIZE = 240, 20, 16
MORNING = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


class Replica:
    """What a replica of chat does with the index, over its own connections."""

    def __init__(self, mongo: Mongo) -> None:
        self.mongo = mongo
        self.index = SearchIndex(mongo)
        self.repository = MongoSearchRepository(mongo)
        next_id = BlockIdGenerator(mongo, "search_segment", block=1).next
        self._builder = SegmentBuilder(mongo, self.index, next_id, utc_now, size=SEGMENT_SIZE)

    async def write(self, order: random.Random) -> None:
        """Index every message, in batches: both replicas do it, as when one takes over the outbox of the other."""
        starts = list(range(0, MESSAGES, BATCH))
        order.shuffle(starts)
        for start in starts:
            await self.index.put([to_document(number) for number in range(start, start + BATCH)])
            await self.index.remove([to_document(number).id for number in range(start, start + BATCH, 10)])
            await self.build()

    async def build(self) -> int:
        return await self._builder.build_for_tenant(TENANT)

    async def find(self, text: str) -> list[int]:
        query = parse(text)
        assert query is not None
        found = await self.repository.find(SearchScope(TENANT, [SITE]), query, None, MESSAGES)
        return [one.source_id for one in found]


def to_document(number: int) -> SearchDocument:
    parity = "even" if number % 2 == 0 else "odd"
    at = MORNING + timedelta(seconds=number)
    return SearchDocument("message", number, TENANT, SITE, number, at, ["parcel", parity, f"number{number}"], 0)


@pytest.fixture
async def replicas(chat_database: Mongo, mongodb_uri: str) -> AsyncIterator[list[Replica]]:
    other = Mongo(mongodb_uri, chat_database.database.name, SCHEMA)
    await other.ensure_schema_ready()
    yield [Replica(chat_database), Replica(other)]
    await other.stop()


async def test_two_replicas_find_everything_once_and_keep_nothing_that_was_removed(replicas: list[Replica]) -> None:
    """Every tenth message is removed by both, while segments with it are built by either."""
    await asyncio.gather(*(one.write(random.Random(seed)) for seed, one in enumerate(replicas)))
    removed = range(0, MESSAGES, 10)
    # Written again by the slower of them after the faster had removed it.
    await replicas[1].index.remove([to_document(number).id for number in removed])
    await replicas[0].build()
    expected = [number for number in reversed(range(MESSAGES)) if number % 10]
    mongo = replicas[0].mongo
    assert await mongo[SEGMENTS].count_documents({"state": "sealed"}) >= len(expected) // SEGMENT_SIZE // 2
    for one in replicas:
        assert await one.find("parcel") == expected
        assert await one.find("parc odd") == [number for number in expected if number % 2]
        assert await one.find("number241 parcel") == []
    places = [row["ref"] async for row in mongo[DOCUMENTS].find({"ref": {"$exists": True}}, {"ref": 1})]
    assert len(places) == len(set(places)), "each place has one document"
    stored = {term async for page in mongo[PAGES].find() for term in page["terms"].split()}
    assert stored.isdisjoint(f"number{number}" for number in removed)
