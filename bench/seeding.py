"""Conversations by the hundred thousand, written straight to the database as chat's own codec writes them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import AsyncMongoClient, WriteConcern

from parley.chat.conversations.mappers import conversation_document, message_document, visitor_document
from parley.chat.conversations.model import Conversation, Message, Visitor
from parley.common.events.schemas import LastMessage, Mode, Person

Document = dict[str, Any]

FIRST_ID = 100_000_000
"""Far above what chat hands out meanwhile."""
_BATCH = 2000
_AT_ONCE = 4
_MESSAGES = 2
_DEEP_EVERY = 1000
_DEEP_MESSAGES = 60
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
# Nine of ten are over; of the open ones, most are the AI's.
_MODES: tuple[Mode, ...] = ("ai", "ai", "pending", "operator", *("closed",) * 36)


@dataclass(frozen=True, slots=True)
class SeedTarget:
    """Where conversations are seeded: on whose site, and who holds those that somebody holds."""

    uri: str
    database: str
    tenant_id: int
    site_id: int
    operator_id: int


def session_id(number: int) -> str:
    """The secret of a seeded visitor."""
    return f"seeded-visitor-{number:012d}"


def session_handle(site_id: int, session_id: str) -> str:
    """A session's public handle (docs/internals.md)."""
    return "sess_" + hashlib.sha256(f"{site_id}:{session_id}".encode()).hexdigest()[:32]


def numbers_with_many_messages(first: int, last: int) -> list[int]:
    """The numbers, within some, of conversations that have many messages."""
    return list(range(first - first % -_DEEP_EVERY, last, _DEEP_EVERY))


async def seed(place: SeedTarget, first: int, last: int) -> None:
    """Write conversations number `first` up to `last`, with their visitors and messages."""
    async with AsyncMongoClient[Document](place.uri, maxPoolSize=_AT_ONCE) as client:
        # Made in a minute and thrown away: no need to wait for the journal each time.
        database = client.get_database(place.database, write_concern=WriteConcern(w=1))
        gate = asyncio.Semaphore(_AT_ONCE)

        async def write(numbers: range) -> None:
            try:
                made = [_conversation(place, number) for number in numbers]
                await database["conversations"].insert_many(
                    [{"_id": one.id, **conversation_document(one), "outbox": []} for one in made], ordered=False
                )
                said = [message_document(message) for one in made for message in _messages(one)]
                await database["messages"].insert_many(said, ordered=False)
                visitors = [{"_id": one.visitor.key, **visitor_document(one.visitor)} for one in made]
                await database["visitors"].insert_many(visitors, ordered=False)
            finally:
                gate.release()

        async with asyncio.TaskGroup() as tasks:
            for begin in range(first, last, _BATCH):
                await gate.acquire()
                tasks.create_task(write(range(begin, min(begin + _BATCH, last))))


def _conversation(place: SeedTarget, number: int) -> Conversation:
    mode = _MODES[number % len(_MODES)]
    at = _BEGAN + timedelta(seconds=number)
    visitor = Visitor(
        place.tenant_id,
        place.site_id,
        session_handle(place.site_id, session_id(number)),
        name=f"Visitor {number}",
        version=1,
    )
    seq = _DEEP_MESSAGES if number % _DEEP_EVERY == 0 else _MESSAGES
    return Conversation(
        id=FIRST_ID + number,
        tenant_id=place.tenant_id,
        site_id=place.site_id,
        visitor=visitor,
        mode=mode,
        created_at=at,
        updated_at=at,
        operator=Person(id=place.operator_id, name="Alex Archer") if mode == "operator" else None,
        last_seq=seq,
        last_message=LastMessage(seq=seq, role="visitor", preview=f"Where is my order {number}?", created_at=at),
        waiting_since=at if mode == "pending" else None,
        version=1,
    )


def _messages(conversation: Conversation) -> Iterator[Message]:
    for seq in range(1, conversation.last_seq + 1):
        yield Message(
            id=conversation.id * 100 + seq,
            tenant_id=conversation.tenant_id,
            site_id=conversation.site_id,
            conversation_id=conversation.id,
            session=conversation.visitor.session,
            seq=seq,
            role="visitor" if seq % 2 else "ai",
            content=f"Where is my order {conversation.id - FIRST_ID}? I have been waiting since Monday.",
            created_at=conversation.created_at,
        )
