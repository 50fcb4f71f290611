"""Changes of conversations on the real MongoDB, two replicas' stores side by side: each answered its own outcome."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parley.chat.conversations import transitions
from parley.chat.conversations.errors import HeldByAnother
from parley.chat.conversations.model import MOST_UNREAD, Change, Conversation, Draft, Visitor
from parley.chat.conversations.ports import Transition
from parley.chat.conversations.repository import MongoConversations
from parley.chat.messages.repository import MongoMessages
from parley.chat.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.common.events.schemas import Person
from parley.common.mongodb import Mongo, Outbox
from support.wait import until

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
TIMEOUT = timedelta(minutes=5)
TENANT, SITE = 7, 3
ALEX, SAM = Person(id=1, name="Alex"), Person(id=2, name="Sam")


class Broker:
    """Keeps what it is told; refuses while it is away."""

    def __init__(self) -> None:
        self.away = False
        self.told: list[dict[str, Any]] = []

    async def publish(self, documents: Sequence[dict[str, Any]]) -> None:
        if self.away:
            raise ConnectionError
        self.told.extend(documents)

    def seqs(self, conversation_id: int) -> list[int]:
        """The messages told of, in the order of their first telling."""
        mine = (one for one in self.told if one["conversation_id"] == conversation_id)
        return list(dict.fromkeys(one["data"]["seq"] for one in mine if one["type"] == "message.created"))


class Replica:
    """What one process of chat has."""

    def __init__(
        self, mongo: Mongo, broker: Broker, grace: timedelta = timedelta(0), clear_seconds: float = 0.5
    ) -> None:
        self.outbox = Outbox(mongo, broker, OUTBOX_COLLECTIONS, grace=grace, clear_seconds=clear_seconds)
        self.store = MongoConversations(mongo, self.outbox)
        self.messages = MongoMessages(mongo)

    async def change(self, conversation_id: int, transition: Transition) -> Change:
        change = await self.store.change(TENANT, conversation_id, transition)
        assert change is not None
        return change

    async def say(self, conversation_id: int, number: int, by: Person = ALEX) -> int:
        draft = Draft(number, "operator", f"Number {number}", sender=by, message_id=f"operator:{by.id}:{number}")
        made = await self.change(conversation_id, lambda now: transitions.operator_says(now, draft, by, NOW, TIMEOUT))
        return made.messages[0].seq


@pytest.fixture
async def mongo(mongodb_uri: str, database_prefix: str) -> AsyncIterator[Mongo]:
    mongo = Mongo(mongodb_uri, f"{database_prefix}_chat", SCHEMA)
    await mongo.start()
    await asyncio.wait_for(mongo.prepared.wait(), 20)
    yield mongo
    await mongo.client.drop_database(f"{database_prefix}_chat")
    await mongo.stop()


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
async def replicas(mongo: Mongo, broker: Broker) -> AsyncIterator[tuple[Replica, Replica]]:
    both = Replica(mongo, broker), Replica(mongo, broker)
    for replica in both:
        await replica.outbox.start()
    yield both
    for replica in both:
        await replica.outbox.stop()


async def opened(replica: Replica, number: int = 50) -> int:
    visitor = Visitor(TENANT, SITE, f"sess_{number}", version=1)
    change = transitions.open_by_visitor(visitor, number, None, "ai", NOW)
    assert await replica.store.create(change)
    return number


async def stored(mongo: Mongo, conversation_id: int) -> dict[str, Any]:
    found = await mongo["conversations"].find_one({"_id": conversation_id})
    assert found is not None
    return found


async def test_many_at_once_on_two_replicas_are_numbered_without_a_gap_and_none_is_lost(
    mongo: Mongo, broker: Broker, replicas: tuple[Replica, Replica]
) -> None:
    ids = [await opened(replicas[0], number) for number in (50, 51, 52)]
    for conversation_id in ids:
        await replicas[0].say(conversation_id, conversation_id * 1000)
    said = [replicas[number % 2].say(ids[number % 3], ids[number % 3] * 1000 + number) for number in range(1, 61)]
    await asyncio.gather(*said)
    for conversation_id in ids:
        kept = await stored(mongo, conversation_id)
        assert kept["last_seq"] == 21
        assert kept["version"] == 1 + 21, "a version for each change"

        async def complete(conversation_id: int = conversation_id) -> bool:
            return await mongo["messages"].count_documents({"conversation_id": conversation_id}) == 21

        await until(complete)
        assert sorted(broker.seqs(conversation_id)) == list(range(1, 22))


async def test_of_two_replicas_one_is_told_who_was_faster(replicas: tuple[Replica, Replica]) -> None:
    for number in range(60, 70):
        conversation_id = await opened(replicas[0], number)

        def by(person: Person) -> Transition:
            return lambda now: transitions.accept(now, person, NOW, TIMEOUT)

        outcomes = await asyncio.gather(
            replicas[0].change(conversation_id, by(ALEX)),
            replicas[1].change(conversation_id, by(SAM)),
            return_exceptions=True,
        )
        assert sorted(type(one).__name__ for one in outcomes) == ["Change", "HeldByAnother"]


async def test_a_refusal_is_decided_by_what_stands_there_and_not_by_what_was_remembered(
    replicas: tuple[Replica, Replica],
) -> None:
    here, there = replicas
    conversation_id = await opened(here)
    await here.say(conversation_id, 1, ALEX)
    with pytest.raises(HeldByAnother):
        await here.say(conversation_id, 2, SAM)
    await there.change(conversation_id, lambda now: transitions.release(now, ALEX, NOW, overrule=False))
    assert await here.say(conversation_id, 3, SAM) == 2


async def test_one_refused_in_a_batch_does_not_touch_the_others(replicas: tuple[Replica, Replica]) -> None:
    here, _ = replicas
    conversation_id = await opened(here)
    await here.say(conversation_id, 1, ALEX)
    first, refused, second = await asyncio.gather(
        here.say(conversation_id, 2, ALEX),
        here.say(conversation_id, 3, SAM),
        here.say(conversation_id, 4, ALEX),
        return_exceptions=True,
    )
    assert isinstance(refused, HeldByAnother)
    assert (first, second) == (2, 3)


async def test_a_conversation_that_is_gone_stays_gone(mongo: Mongo, replicas: tuple[Replica, Replica]) -> None:
    here, _ = replicas
    conversation_id = await opened(here)
    await here.say(conversation_id, 1)
    await mongo["conversations"].delete_one({"_id": conversation_id})
    draft = Draft(2, "operator", "Are you still there?", sender=ALEX)
    gone = await here.store.change(
        TENANT, conversation_id, lambda now: transitions.operator_says(now, draft, ALEX, NOW, TIMEOUT)
    )
    assert gone is None
    assert await mongo["conversations"].find_one({"_id": conversation_id}) is None


async def test_a_conversation_that_is_gone_is_not_known_as_open_also_where_nothing_was_to_be_written(
    mongo: Mongo, replicas: tuple[Replica, Replica]
) -> None:
    here, _ = replicas
    conversation_id = await opened(here)
    visitor = Visitor(TENANT, SITE, f"sess_{conversation_id}")
    assert here.store.recall_open(visitor) is not None
    await mongo["conversations"].delete_one({"_id": conversation_id})
    assert await here.store.change(TENANT, conversation_id, lambda now: None) is None
    assert here.store.recall_open(visitor) is None


async def test_another_tenants_conversation_is_not_there(replicas: tuple[Replica, Replica]) -> None:
    here, _ = replicas
    conversation_id = await opened(here)

    def never(now: Conversation) -> Change:
        raise AssertionError("asked about another tenant's")

    assert await here.store.change(TENANT + 1, conversation_id, never) is None
    assert await here.store.recall(TENANT + 1, conversation_id) is None


async def test_what_is_unread_is_counted_as_it_grows_and_as_it_is_read(
    mongo: Mongo, replicas: tuple[Replica, Replica]
) -> None:
    here, there = replicas
    conversation_id = await opened(here)

    async def heard(replica: Replica, number: int) -> None:
        draft = Draft(number, "visitor", f"Number {number}", message_id=f"v{number}")
        await replica.change(
            conversation_id, lambda now: transitions.visitor_says(now, draft, NOW, TIMEOUT, to_person=False)
        )

    async def hear(replica: Replica, *numbers: int) -> None:
        await asyncio.gather(*(heard(replica, number) for number in numbers))

    async def read(replica: Replica, seq: int) -> None:
        await replica.change(conversation_id, lambda now: transitions.operator_reads(now, seq, ALEX, NOW))

    async def unread() -> list[int]:
        kept: list[int] = (await stored(mongo, conversation_id))["unread_seqs"]
        return kept

    await hear(here, *range(1, 31))
    # While the first is under way the others wait, and are one write: some of it is read, and it grows.
    await asyncio.gather(heard(here, 31), read(here, 10), *(heard(here, number) for number in range(32, 41)))
    await hear(there, *range(41, 61))
    assert await unread() == list(range(11, 61))
    await hear(here, *range(61, 1101))
    assert await unread() == list(range(1101 - MOST_UNREAD, 1101)), "of very many, the newest"
    assert [seq for _, seq in (await stored(mongo, conversation_id))["recent_ids"]] == list(range(1085, 1101))
    await asyncio.gather(read(there, 1098), heard(there, 1101))
    assert await unread() == [1099, 1100, 1101]
    await read(here, 1101)
    assert await unread() == []


async def test_only_what_changed_is_written(mongo: Mongo, replicas: tuple[Replica, Replica]) -> None:
    here, _ = replicas
    conversation_id = await opened(here)
    await mongo["conversations"].update_one({"_id": conversation_id}, {"$set": {"rating_comment": "by hand"}})
    await here.say(conversation_id, 1)
    kept = await stored(mongo, conversation_id)
    assert kept["rating_comment"] == "by hand"
    assert kept["last_message"]["preview"] == "Number 1"
    assert kept["handled_by"] == [ALEX.id]


async def test_what_was_left_behind_is_told_before_what_is_newer(
    broker: Broker, replicas: tuple[Replica, Replica]
) -> None:
    here, _ = replicas
    conversation_id = await opened(here)
    await here.say(conversation_id, 1)
    await until(lambda: broker.seqs(conversation_id) == [1])
    broker.away = True
    await here.say(conversation_id, 2)
    await here.say(conversation_id, 3)
    await here.outbox.told()
    broker.away = False
    await here.say(conversation_id, 4)
    await until(lambda: len(broker.seqs(conversation_id)) == 4)
    assert broker.seqs(conversation_id) == [1, 2, 3, 4]


async def riding(mongo: Mongo, conversation_id: int) -> list[int]:
    """The messages that stand in the conversation's outbox."""
    kept = await stored(mongo, conversation_id)
    return [entry["event"]["data"]["seq"] for entry in kept["outbox"] if entry["event"]["type"] == "message.created"]


async def test_the_next_commit_takes_what_was_told_out_of_the_outbox_and_leaves_what_was_not(
    mongo: Mongo, broker: Broker
) -> None:
    here = Replica(mongo, broker, grace=timedelta(hours=1), clear_seconds=3600)
    await here.outbox.start()
    conversation_id = await opened(here)

    def done() -> bool:
        return here.outbox.untold("conversations", conversation_id) == []

    await here.say(conversation_id, 1)
    await until(done)
    await here.say(conversation_id, 2)
    assert await riding(mongo, conversation_id) == [2]
    await until(done)
    broker.away = True
    await here.say(conversation_id, 3)
    await here.outbox.told()
    await here.say(conversation_id, 4)
    assert {3, 4} <= set(await riding(mongo, conversation_id)), "nothing is taken out that was not told"
    await here.outbox.told()
    broker.away = False
    await here.say(conversation_id, 5)
    await until(lambda: broker.seqs(conversation_id) == [1, 2, 3, 4, 5])
    await here.outbox.stop()
    assert await riding(mongo, conversation_id) == [], "who stops leaves nothing behind that it told"
    assert await mongo["messages"].count_documents({"conversation_id": conversation_id}) == 5


async def test_a_translation_that_is_faster_than_its_message_is_kept(mongo: Mongo, broker: Broker) -> None:
    here = Replica(mongo, broker)
    conversation_id = await opened(here)
    seq = await here.say(conversation_id, 1)
    translation = {"lang": "de", "content": "Nummer 1"}
    assert await here.messages.set_translation(conversation_id, seq, translation)
    assert not await here.messages.set_translation(conversation_id, seq + 1, translation), "there is no such message"
    await here.outbox.start()

    async def cleared() -> bool:
        return await riding(mongo, conversation_id) == []

    await until(cleared)
    kept = await mongo["messages"].find({"conversation_id": conversation_id}).to_list()
    assert [(one["seq"], one["translation"]) for one in kept] == [(seq, translation)]
    await here.outbox.stop()


async def test_an_old_sender_s_id_is_known_again_also_where_another_replica_heard_it(
    mongo: Mongo, replicas: tuple[Replica, Replica]
) -> None:
    here, there = replicas
    conversation_id = await opened(here)
    for number in range(1, 121):
        await (here if number % 40 < 20 else there).say(conversation_id, number)

    async def projected() -> bool:
        return await mongo["messages"].count_documents({"conversation_id": conversation_id}) == 120

    await until(projected)
    for replica in replicas:
        conversation = await replica.store.recall(TENANT, conversation_id)
        assert conversation is not None
        for number in (1, 25, 45, 65):
            found = await replica.messages.said_before(conversation, f"operator:{ALEX.id}:{number}")
            assert found is not None
            assert found.content == f"Number {number}"
        assert await replica.messages.said_before(conversation, f"operator:{ALEX.id}:never") is None
