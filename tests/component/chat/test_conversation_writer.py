"""Concurrent changes of conversations by two replicas, on a real MongoDB: each caller gets its own result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parley.chat.conversations import transitions
from parley.chat.conversations.errors import AssignedToAnother, NewerConversation
from parley.chat.conversations.model import MAX_UNREAD, Change, Conversation
from parley.chat.conversations.ports import Transition
from parley.chat.conversations.repository import MongoConversationRepository
from parley.chat.messages.model import MessageDraft
from parley.chat.messages.repository import MongoMessageRepository
from parley.chat.mongo_ids import ConversationIdGenerator
from parley.chat.mongo_schema import OUTBOX_COLLECTIONS
from parley.chat.visitors.model import Visitor
from parley.common.conversation_partitions import conversation_partition, visitor_partition
from parley.common.events.schemas import MessageTranslation, OperatorRef
from parley.common.mongodb import Mongo, Outbox
from parley.common.runtime.clock import utc_now
from support.wait import wait_until

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
TIMEOUT = timedelta(minutes=5)
TENANT, SITE = 7, 3
ALEX, SAM = OperatorRef(id=1, name="Alex"), OperatorRef(id=2, name="Sam")


class FakeBroker:
    """Records published events; raises ConnectionError while it is `down`."""

    def __init__(self) -> None:
        self.down = False
        self.published: list[dict[str, Any]] = []

    async def publish(self, documents: Sequence[dict[str, Any]]) -> None:
        if self.down:
            raise ConnectionError
        self.published.extend(documents)

    def seqs(self, conversation_id: int) -> list[int]:
        """The seqs of a conversation's published messages, in the order of their first publication."""
        events = (one for one in self.published if one["conversation_id"] == conversation_id)
        return list(dict.fromkeys(one["data"]["seq"] for one in events if one["type"] == "message.created"))


class Replica:
    """The repositories of one chat process."""

    def __init__(
        self, mongo: Mongo, broker: FakeBroker, grace: timedelta = timedelta(0), remove_delay_seconds: float = 0.5
    ) -> None:
        self.outbox = Outbox(mongo, broker, OUTBOX_COLLECTIONS, grace=grace, remove_delay_seconds=remove_delay_seconds)
        self.conversations = MongoConversationRepository(mongo, self.outbox)
        self.messages = MongoMessageRepository(mongo)

    async def change(self, conversation_id: int, transition: Transition) -> Change:
        change = await self.conversations.change(TENANT, conversation_id, transition)
        assert change is not None
        return change

    async def send(self, conversation_id: int, number: int, by: OperatorRef = ALEX, at: datetime = NOW) -> int:
        draft = MessageDraft(number, "operator", f"Number {number}", sender=by, message_id=f"operator:{by.id}:{number}")
        change = await self.change(
            conversation_id, lambda current: transitions.add_operator_message(current, draft, by, at, TIMEOUT)
        )
        return change.messages[0].seq


@pytest.fixture
def mongo(chat_database: Mongo) -> Mongo:
    return chat_database


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
async def replicas(mongo: Mongo, broker: FakeBroker) -> AsyncIterator[tuple[Replica, Replica]]:
    both = Replica(mongo, broker), Replica(mongo, broker)
    for replica in both:
        await replica.outbox.start()
    yield both
    for replica in both:
        await replica.outbox.stop()


async def open_conversation(replica: Replica, number: int = 50, at: datetime = NOW) -> int:
    visitor = Visitor(TENANT, SITE, f"sess_{number}", version=1)
    change = transitions.open_conversation(visitor, number, None, "ai", at)
    assert await replica.conversations.create(change)
    return number


async def load(mongo: Mongo, conversation_id: int) -> dict[str, Any]:
    document = await mongo["conversations"].find_one({"_id": conversation_id})
    assert document is not None
    return document


async def test_concurrent_messages_of_two_replicas_are_numbered_without_gaps_or_losses(
    mongo: Mongo, broker: FakeBroker, replicas: tuple[Replica, Replica]
) -> None:
    ids = [await open_conversation(replicas[0], number) for number in (50, 51, 52)]
    for conversation_id in ids:
        await replicas[0].send(conversation_id, conversation_id * 1000)
    sending = [replicas[number % 2].send(ids[number % 3], ids[number % 3] * 1000 + number) for number in range(1, 61)]
    await asyncio.gather(*sending)
    for conversation_id in ids:
        document = await load(mongo, conversation_id)
        assert document["last_seq"] == 21
        assert document["version"] == 1 + 21, "one version per change"

        async def all_stored(conversation_id: int = conversation_id) -> bool:
            return await mongo["messages"].count_documents({"conversation_id": conversation_id}) == 21

        await wait_until(all_stored)
        assert sorted(broker.seqs(conversation_id)) == list(range(1, 22))


async def test_of_two_concurrent_accepts_one_succeeds_and_the_other_names_the_operator(
    replicas: tuple[Replica, Replica],
) -> None:
    for number in range(60, 70):
        conversation_id = await open_conversation(replicas[0], number)

        def by(person: OperatorRef) -> Transition:
            return lambda current: transitions.accept(current, person, NOW, TIMEOUT)

        outcomes = await asyncio.gather(
            replicas[0].change(conversation_id, by(ALEX)),
            replicas[1].change(conversation_id, by(SAM)),
            return_exceptions=True,
        )
        assert sorted(type(one).__name__ for one in outcomes) == ["AssignedToAnother", "Change"]


async def test_an_error_is_decided_by_a_fresh_read_and_not_by_the_cache(
    replicas: tuple[Replica, Replica],
) -> None:
    first, second = replicas
    conversation_id = await open_conversation(first)
    await first.send(conversation_id, 1, ALEX)
    with pytest.raises(AssignedToAnother):
        await first.send(conversation_id, 2, SAM)
    await second.change(conversation_id, lambda current: transitions.release(current, ALEX, NOW, overrule=False))
    assert await first.send(conversation_id, 3, SAM) == 2


async def test_a_rejected_change_in_a_batch_does_not_affect_the_others(replicas: tuple[Replica, Replica]) -> None:
    first, _ = replicas
    conversation_id = await open_conversation(first)
    await first.send(conversation_id, 1, ALEX)
    seq_before, rejected, seq_after = await asyncio.gather(
        first.send(conversation_id, 2, ALEX),
        first.send(conversation_id, 3, SAM),
        first.send(conversation_id, 4, ALEX),
        return_exceptions=True,
    )
    assert isinstance(rejected, AssignedToAnother)
    assert (seq_before, seq_after) == (2, 3)


async def test_a_conversation_is_not_reopened_beside_a_newer_open_one(
    mongo: Mongo, replicas: tuple[Replica, Replica]
) -> None:
    older = await open_conversation(replicas[0])
    await replicas[0].change(older, lambda current: transitions.close(current, ALEX, NOW, overrule=False))
    visitor = Visitor(TENANT, SITE, f"sess_{older}", version=1)
    assert await replicas[1].conversations.create(transitions.open_conversation(visitor, 51, older, "ai", NOW))
    with pytest.raises(NewerConversation):
        await replicas[0].change(older, lambda current: transitions.reopen(current, ALEX, NOW, TIMEOUT))
    assert (await load(mongo, older))["mode"] == "closed"
    await replicas[0].change(51, lambda current: transitions.close(current, ALEX, NOW, overrule=False))
    await replicas[0].change(older, lambda current: transitions.reopen(current, ALEX, NOW, TIMEOUT))


async def test_a_reopening_that_fails_fails_no_other_change_in_its_batch(
    mongo: Mongo, replicas: tuple[Replica, Replica]
) -> None:
    replica = replicas[0]
    older = await open_conversation(replica)
    await replica.change(older, lambda current: transitions.close(current, ALEX, NOW, overrule=False))
    visitor = Visitor(TENANT, SITE, f"sess_{older}", version=1)
    assert await replica.conversations.create(transitions.open_conversation(visitor, 51, older, "ai", NOW))
    rated, reopened, rated_again = await asyncio.gather(
        replica.change(older, lambda current: transitions.rate(current, 1, None, NOW)),
        replica.change(older, lambda current: transitions.reopen(current, ALEX, NOW, TIMEOUT)),
        replica.change(older, lambda current: transitions.rate(current, 5, None, NOW)),
        return_exceptions=True,
    )
    assert isinstance(reopened, NewerConversation)
    assert isinstance(rated, Change)
    assert isinstance(rated_again, Change)
    assert (await load(mongo, older))["mode"] == "closed"


async def test_a_change_does_not_recreate_a_deleted_conversation(
    mongo: Mongo, replicas: tuple[Replica, Replica]
) -> None:
    first, _ = replicas
    conversation_id = await open_conversation(first)
    await first.send(conversation_id, 1)
    await mongo["conversations"].delete_one({"_id": conversation_id})
    draft = MessageDraft(2, "operator", "Are you still there?", sender=ALEX)
    gone = await first.conversations.change(
        TENANT, conversation_id, lambda current: transitions.add_operator_message(current, draft, ALEX, NOW, TIMEOUT)
    )
    assert gone is None
    assert await mongo["conversations"].find_one({"_id": conversation_id}) is None


async def test_a_deleted_conversation_is_not_returned_as_open_even_after_a_change_without_effect(
    mongo: Mongo, replicas: tuple[Replica, Replica]
) -> None:
    first, _ = replicas
    conversation_id = await open_conversation(first)
    visitor = Visitor(TENANT, SITE, f"sess_{conversation_id}")
    assert await first.conversations.find_open_snapshot(visitor) is not None
    await mongo["conversations"].delete_one({"_id": conversation_id})
    assert await first.conversations.change(TENANT, conversation_id, lambda current: None) is None
    assert await first.conversations.find_open_snapshot(visitor) is None


async def test_another_tenants_conversation_is_not_found(replicas: tuple[Replica, Replica]) -> None:
    first, _ = replicas
    conversation_id = await open_conversation(first)

    def never(current: Conversation) -> Change:
        raise AssertionError("applied to another tenant's conversation")

    assert await first.conversations.change(TENANT + 1, conversation_id, never) is None
    assert await first.conversations.find_snapshot(TENANT + 1, conversation_id) is None


async def test_unread_messages_are_added_and_removed_by_concurrent_changes(
    mongo: Mongo, replicas: tuple[Replica, Replica]
) -> None:
    first, second = replicas
    conversation_id = await open_conversation(first)

    async def receive(replica: Replica, number: int) -> None:
        draft = MessageDraft(number, "visitor", f"Number {number}", message_id=f"v{number}")
        await replica.change(
            conversation_id,
            lambda current: transitions.add_visitor_message(current, draft, NOW, TIMEOUT, needs_human=False),
        )

    async def receive_all(replica: Replica, *numbers: int) -> None:
        await asyncio.gather(*(receive(replica, number) for number in numbers))

    async def read(replica: Replica, seq: int) -> None:
        await replica.change(
            conversation_id, lambda current: transitions.mark_read_by_operator(current, seq, ALEX, NOW)
        )

    async def unread() -> list[int]:
        seqs: list[int] = (await load(mongo, conversation_id))["unread_seqs"]
        return seqs

    await receive_all(first, *range(1, 31))
    # While the first write is in flight the others queue up, and become one write that both marks as read and adds.
    await asyncio.gather(receive(first, 31), read(first, 10), *(receive(first, number) for number in range(32, 41)))
    await receive_all(second, *range(41, 61))
    assert await unread() == list(range(11, 61))
    await receive_all(first, *range(61, 1101))
    assert await unread() == list(range(1101 - MAX_UNREAD, 1101)), "only the newest are kept"
    assert [seq for _, seq in (await load(mongo, conversation_id))["recent_ids"]] == list(range(1085, 1101))
    await asyncio.gather(read(second, 1098), receive(second, 1101))
    assert await unread() == [1099, 1100, 1101]
    await read(first, 1101)
    assert await unread() == []


async def test_only_changed_fields_are_written(mongo: Mongo, replicas: tuple[Replica, Replica]) -> None:
    first, _ = replicas
    conversation_id = await open_conversation(first)
    await mongo["conversations"].update_one({"_id": conversation_id}, {"$set": {"rating_comment": "by hand"}})
    await first.send(conversation_id, 1)
    document = await load(mongo, conversation_id)
    assert document["rating_comment"] == "by hand"
    assert document["last_message"]["preview"] == "Number 1"
    assert document["handled_by"] == [ALEX.id]


async def test_events_that_could_not_be_published_are_published_before_newer_ones(
    broker: FakeBroker, replicas: tuple[Replica, Replica]
) -> None:
    first, _ = replicas
    conversation_id = await open_conversation(first)
    await first.send(conversation_id, 1)
    await wait_until(lambda: broker.seqs(conversation_id) == [1])
    broker.down = True
    await first.send(conversation_id, 2)
    await first.send(conversation_id, 3)
    await first.outbox.wait_published()
    broker.down = False
    await first.send(conversation_id, 4)
    await wait_until(lambda: len(broker.seqs(conversation_id)) == 4)
    assert broker.seqs(conversation_id) == [1, 2, 3, 4]


async def test_sweeper_leaves_entries_to_a_busy_replica_while_its_own_take_as_long(
    mongo: Mongo, broker: FakeBroker
) -> None:
    busy = Replica(mongo, broker, grace=timedelta(hours=1))
    sweeping = Replica(mongo, broker, grace=timedelta(seconds=5), remove_delay_seconds=10)
    await sweeping.outbox.start()
    own = await open_conversation(sweeping, 60, utc_now())
    await sweeping.send(own, 60, at=utc_now())
    await wait_until(lambda: sweeping.outbox.pending_entries("conversations", own) == [])

    async def write(number: int, seconds_ago: int) -> int:
        """A message that the busy replica committed some time ago, and has not published since."""
        at = utc_now() - timedelta(seconds=seconds_ago)
        conversation_id = await open_conversation(busy, number, at)
        await busy.send(conversation_id, number, at=at)
        return conversation_id

    recent, old = await write(61, 7), await write(62, 60)
    await wait_until(lambda: broker.seqs(old) == [1])
    assert broker.seqs(recent) == [], "committed seven seconds ago, while the sweeping replica takes ten itself"
    await sweeping.outbox.stop()


async def pending_seqs(mongo: Mongo, conversation_id: int) -> list[int]:
    """The seqs of messages whose events are in the conversation's outbox."""
    document = await load(mongo, conversation_id)
    return [
        entry["event"]["data"]["seq"] for entry in document["outbox"] if entry["event"]["type"] == "message.created"
    ]


async def test_the_next_write_removes_published_entries_from_the_outbox_and_keeps_the_others(
    mongo: Mongo, broker: FakeBroker
) -> None:
    first = Replica(mongo, broker, grace=timedelta(hours=1), remove_delay_seconds=3600)
    await first.outbox.start()
    conversation_id = await open_conversation(first)

    def published() -> bool:
        return first.outbox.pending_entries("conversations", conversation_id) == []

    await first.send(conversation_id, 1)
    await wait_until(published)
    await first.send(conversation_id, 2)
    assert await pending_seqs(mongo, conversation_id) == [2]
    await wait_until(published)
    broker.down = True
    await first.send(conversation_id, 3)
    await first.outbox.wait_published()
    await first.send(conversation_id, 4)
    assert {3, 4} <= set(await pending_seqs(mongo, conversation_id)), "entries that were not published are kept"
    await first.outbox.wait_published()
    broker.down = False
    await first.send(conversation_id, 5)
    await wait_until(lambda: broker.seqs(conversation_id) == [1, 2, 3, 4, 5])
    await first.outbox.stop()
    assert await pending_seqs(mongo, conversation_id) == [], "published entries are removed at shutdown"
    assert await mongo["messages"].count_documents({"conversation_id": conversation_id}) == 5


async def test_a_translation_that_arrives_before_its_message_is_stored(mongo: Mongo, broker: FakeBroker) -> None:
    first = Replica(mongo, broker)
    conversation_id = await open_conversation(first)
    seq = await first.send(conversation_id, 1)
    translation = MessageTranslation(lang="de", content="Nummer 1")
    assert await first.messages.set_translation(conversation_id, seq, translation)
    assert not await first.messages.set_translation(conversation_id, seq + 1, translation), "no such message"
    await first.outbox.start()

    async def cleared() -> bool:
        return await pending_seqs(mongo, conversation_id) == []

    await wait_until(cleared)
    messages = await mongo["messages"].find({"conversation_id": conversation_id}).to_list()
    assert [(message["seq"], message["translation"]) for message in messages] == [
        (seq, translation.model_dump(mode="json"))
    ]
    await first.outbox.stop()


async def test_an_old_message_id_is_found_also_if_another_replica_stored_the_message(
    mongo: Mongo, replicas: tuple[Replica, Replica]
) -> None:
    first, second = replicas
    conversation_id = await open_conversation(first)
    for number in range(1, 121):
        await (first if number % 40 < 20 else second).send(conversation_id, number)

    async def all_stored() -> bool:
        return await mongo["messages"].count_documents({"conversation_id": conversation_id}) == 120

    await wait_until(all_stored)
    for replica in replicas:
        conversation = await replica.conversations.find_snapshot(TENANT, conversation_id)
        assert conversation is not None
        for number in (1, 25, 45, 65):
            message = await replica.messages.find_duplicate(conversation, f"operator:{ALEX.id}:{number}")
            assert message is not None
            assert message.content == f"Number {number}"
        assert await replica.messages.find_duplicate(conversation, f"operator:{ALEX.id}:never") is None


async def test_an_overdue_conversation_is_first_its_last_writers(replicas: tuple[Replica, Replica]) -> None:
    """T15: the replica that changed a conversation last releases it, and any other one if that one has gone."""
    home, other = replicas
    conversation_id = await open_conversation(home)
    await other.change(conversation_id, lambda current: transitions.accept(current, ALEX, NOW, TIMEOUT))
    draft = MessageDraft(1, "visitor", "Hello?")
    await home.change(
        conversation_id,
        lambda current: transitions.add_visitor_message(current, draft, NOW, TIMEOUT, needs_human=False),
    )

    async def list_overdue(replica: Replica, delay: timedelta) -> list[int]:
        return [found.id for found in await replica.conversations.list_operator_overdue(NOW + TIMEOUT + delay, 10)]

    assert await list_overdue(other, timedelta(seconds=1)) == []
    assert await list_overdue(home, timedelta(0)) == [conversation_id]
    assert await list_overdue(other, timedelta(seconds=2)) == [conversation_id]


async def test_a_conversations_id_carries_the_partition_of_its_visitor(mongo: Mongo) -> None:
    await mongo["counters"].insert_one({"_id": "conversation", "reserved": 2**47 - 200})
    generator = ConversationIdGenerator(mongo)
    sessions = [f"sess_{number:032x}" for number in range(99)]
    ids = [await generator.next(session) for session in sessions]
    assert [conversation_partition(one) for one in ids] == [visitor_partition(session) for session in sessions]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    assert max(ids) < 2**53


async def test_an_id_that_a_conversation_from_before_has_is_refused(replicas: tuple[Replica, Replica]) -> None:
    await open_conversation(replicas[0], 640)
    visitor = Visitor(TENANT, SITE, "sess_other", version=1)
    assert not await replicas[1].conversations.create(transitions.open_conversation(visitor, 640, None, "ai", NOW))
