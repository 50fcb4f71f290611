"""Seeds messages by the million whose words are as frequent as in a language, with their search index."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate

from pymongo import WriteConcern

from bench.seeding import FIRST_ID, SeedTarget, build_conversation
from parley.chat.conversations.mappers import conversation_document
from parley.chat.conversations.model import Conversation
from parley.chat.messages.mappers import message_document
from parley.chat.messages.model import Message
from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.mongo_schema import SCHEMA
from parley.chat.search.feed import to_documents
from parley.chat.search.index import DOCUMENTS, INDEXES, SearchIndex
from parley.chat.search.segments import SegmentBuilder
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import utc_now

MESSAGES_PER_CONVERSATION = 10
FREQUENT_PAIR = ("northern", "southern")
"""Each is in every tenth message, and they are together in hardly any."""
TOGETHER_EVERY = 100_000
PHRASE = "brand new parcel"
PHRASE_EVERY = 20_000
_VOCABULARY = 30_000
_WORDS = 12
_SYLLABLES = ("ka", "lo", "mi", "ter", "san", "ve", "dor", "pi", "nu", "rel", "est", "an", "go", "bi", "cha", "fu")
_BATCH = 1000


def word(rank: int) -> str:
    """The word of a rank: low ones are frequent."""
    letters = ""
    rank += len(_SYLLABLES)
    while rank:
        rank, syllable = divmod(rank, len(_SYLLABLES))
        letters += _SYLLABLES[syllable]
    return letters


async def seed_searchable(target: SeedTarget, messages: int) -> float:
    """Write so many messages with their conversations, and index them. Returns the share that is in segments."""
    mongo = Mongo(target.uri, target.database, SCHEMA)
    await mongo.ensure_schema_ready()
    # Temporary data: no need to wait for the journal each time.
    database = mongo.client.get_database(target.database, write_concern=WriteConcern(w=1))
    index = SearchIndex(database)
    builder = SegmentBuilder(mongo, index, BlockIdGenerator(mongo, "search_segment", block=1).next, utc_now)
    # Created again at the end: what is written at once soon moves on into segments.
    (open_terms,) = (one for one in INDEXES if one.options["name"] == "open_terms")
    await database[DOCUMENTS].drop_index("open_terms")
    choices = random.Random(20)  # noqa: S311 - the same data in every run
    weights = list(accumulate(1 / (rank + 3) for rank in range(_VOCABULARY)))
    words = [word(rank) for rank in range(_VOCABULARY)]
    try:
        for start in range(0, messages, _BATCH):
            numbers = range(start // MESSAGES_PER_CONVERSATION, (start + _BATCH) // MESSAGES_PER_CONVERSATION)
            conversations = [_conversation(target, number) for number in numbers]
            documents = [{"_id": one.id, **conversation_document(one), "outbox": []} for one in conversations]
            await database["conversations"].insert_many(documents, ordered=False)
            rows = [
                message_document(message)
                for one in conversations
                for message in _messages(one, choices, words, weights)
            ]
            await database["messages"].insert_many(rows, ordered=False)
            await index.put([*to_documents("messages", rows), *to_documents("conversations", documents)])
            await builder.build_for_tenant(target.tenant_id)
        await database[DOCUMENTS].create_indexes([open_terms.model])
        still_open = await database[DOCUMENTS].count_documents({"tenant_id": target.tenant_id, "open": True})
        return 1 - still_open / messages
    finally:
        await mongo.stop()


def _conversation(target: SeedTarget, number: int) -> Conversation:
    conversation = build_conversation(target, number)
    visitor = replace(conversation.visitor, name=f"Visitor {number}", email=f"{word(number)}@example.com")
    return replace(conversation, visitor=visitor, last_seq=MESSAGES_PER_CONVERSATION)


def _messages(
    conversation: Conversation, choices: random.Random, words: list[str], weights: list[float]
) -> Iterator[Message]:
    first = (conversation.id - FIRST_ID) * MESSAGES_PER_CONVERSATION
    for seq in range(1, MESSAGES_PER_CONVERSATION + 1):
        number = first + seq
        chosen = choices.choices(words, cum_weights=weights, k=_WORDS)
        if seq in (1, 6):
            chosen[3] = FREQUENT_PAIR[seq == 6]
        if number % TOGETHER_EVERY == 1:
            chosen[4:6] = FREQUENT_PAIR
        if number % PHRASE_EVERY == 2:
            chosen[6] = PHRASE
        yield Message(
            id=conversation.id * 100 + seq,
            tenant_id=conversation.tenant_id,
            site_id=conversation.site_id,
            conversation_id=conversation.id,
            session=conversation.visitor.session,
            seq=seq,
            role="visitor" if seq % 2 else "ai",
            content=" ".join(chosen).capitalize() + ".",
            created_at=conversation.created_at + timedelta(seconds=10 * seq),
        )
