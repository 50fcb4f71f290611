"""Seeds conversations by the hundred thousand, written directly to the database through chat's own mappers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import AsyncMongoClient, WriteConcern

from parley.chat.conversations.mappers import conversation_document
from parley.chat.conversations.model import Conversation
from parley.chat.messages.mappers import message_document
from parley.chat.messages.model import Message
from parley.chat.visitors.mappers import visitor_document
from parley.chat.visitors.model import Visitor
from parley.common.auth.visitor_session import session_handle
from parley.common.events.schemas import LastMessage, Mode, OperatorRef

Document = dict[str, Any]

FIRST_ID = 100_000_000
"""Far above the ids that chat assigns during a run."""
_BATCH_SIZE = 2000
_WRITE_CONCURRENCY = 4
_MESSAGES = 2
_LONG_EVERY = 1000
_LONG_MESSAGES = 60
_FIRST_CREATED_AT = datetime(2026, 1, 1, tzinfo=UTC)
# Nine in ten are closed; of the open ones, most are the AI's.
_MODES: tuple[Mode, ...] = ("ai", "ai", "pending", "operator", *("closed",) * 36)


@dataclass(frozen=True, slots=True)
class SeedTarget:
    """Database, site, and operator that seeded conversations belong to."""

    uri: str
    database: str
    tenant_id: int
    site_id: int
    operator_id: int


def session_id(number: int) -> str:
    """Return the session id of a seeded visitor."""
    return f"seeded-visitor-{number:012d}"


def numbers_with_many_messages(first: int, last: int) -> list[int]:
    """List the numbers from `first` up to `last` of conversations that have many messages."""
    return list(range(first - first % -_LONG_EVERY, last, _LONG_EVERY))


async def seed(target: SeedTarget, first: int, last: int) -> None:
    """Write conversations number `first` up to `last`, with their visitors and messages."""
    async with AsyncMongoClient[Document](target.uri, maxPoolSize=_WRITE_CONCURRENCY) as client:
        # Temporary data: no need to wait for the journal each time.
        database = client.get_database(target.database, write_concern=WriteConcern(w=1))
        semaphore = asyncio.Semaphore(_WRITE_CONCURRENCY)

        async def write(numbers: range) -> None:
            try:
                conversations = [build_conversation(target, number) for number in numbers]
                await database["conversations"].insert_many(
                    [{"_id": one.id, **conversation_document(one), "outbox": []} for one in conversations],
                    ordered=False,
                )
                messages = [message_document(message) for one in conversations for message in _messages(one)]
                await database["messages"].insert_many(messages, ordered=False)
                visitors = [{"_id": one.visitor.key, **visitor_document(one.visitor)} for one in conversations]
                await database["visitors"].insert_many(visitors, ordered=False)
            finally:
                semaphore.release()

        async with asyncio.TaskGroup() as tasks:
            for start in range(first, last, _BATCH_SIZE):
                await semaphore.acquire()
                tasks.create_task(write(range(start, min(start + _BATCH_SIZE, last))))


def build_conversation(target: SeedTarget, number: int) -> Conversation:
    """The conversation of this number."""
    mode = _MODES[number % len(_MODES)]
    at = _FIRST_CREATED_AT + timedelta(seconds=number)
    visitor = Visitor(
        target.tenant_id,
        target.site_id,
        session_handle(target.site_id, session_id(number)),
        name=f"Visitor {number}",
        version=1,
    )
    seq = _LONG_MESSAGES if number % _LONG_EVERY == 0 else _MESSAGES
    return Conversation(
        id=FIRST_ID + number,
        tenant_id=target.tenant_id,
        site_id=target.site_id,
        visitor=visitor,
        mode=mode,
        created_at=at,
        updated_at=at,
        operator=OperatorRef(id=target.operator_id, name="Alex Archer") if mode == "operator" else None,
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
