"""Assignment: who gets a waiting conversation, when nobody gets it, and that replicas agree."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest

from parley.chat.assignment.consumers import AssignmentHandlers
from parley.chat.backends import Backends
from parley.chat.conversations.model import Change, Conversation
from parley.chat.conversations.module import ConversationModule
from parley.chat.conversations.ports import ConversationRepository, Transition
from parley.chat.settings import ChatSettings
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import ValidationFailed
from parley.common.messaging import RpcClient
from support.admin_app import AdminTestApp, StartApp


class Desk:
    """A site with automatic routing and its operators, on a clock that tests move; each module is one replica."""

    def __init__(self, app: AdminTestApp, owner: OperatorCaller, site_id: int) -> None:
        self.app, self.owner, self.site_id = app, owner, site_id
        self.module = self.new_replica()
        self.operators: dict[str, OperatorCaller] = {}

    def new_replica(self) -> ConversationModule:
        settings = ChatSettings(
            env="development",
            identity_secret=secrets.token_hex(32),
            amqp_url="amqp://unused",
            mongodb_uri="mongodb://unused",
        )
        rpc = {name: RpcClient(name) for name in ("presence", "translate", "notify")}
        app = self.app
        return ConversationModule(Backends(app.mongo, app.broker, app.outbox, rpc), app.admin, settings, app.clock)

    async def set_routing(self, routing: str, **fields: Any) -> None:
        path, body = f"/api/v1/sites/{self.site_id}/routing", {"routing": routing, **fields}
        (await self.app.call("PUT", path, self.owner, body)).ok()

    async def add_operator(self, name: str, *, online: bool = True, capacity: int | None = None) -> OperatorCaller:
        operator = await self.app.create_member(self.owner, self.site_id, can_chat=True)
        changed = {"name": name, **({"capacity": capacity} if capacity else {})}
        (await self.app.call("PUT", f"/api/v1/team/{operator.operator_id}", self.owner, changed)).ok()
        self.operators[name] = replace(operator, name=name)
        await self.set_online(name, online=online)
        return self.operators[name]

    async def set_online(self, name: str, *, online: bool) -> None:
        operator_id = self.operators[name].operator_id
        await self.module.presence.record_operator(self.site_id, operator_id, self.app.clock(), online=online)

    async def add_team(self, name: str, *members: str) -> int:
        body = {
            "name": name,
            "site_ids": [self.site_id],
            "operator_ids": [self.operators[member].operator_id for member in members],
        }
        team_id: int = (await self.app.call("POST", "/api/v1/teams", self.owner, body)).ok(201)["team"]["id"]
        return team_id

    async def wait_in_queue(self) -> int:
        """Return the conversation of a new visitor who waits for a person."""
        visitor = VisitorCaller(self.owner.tenant_id, self.site_id, f"sess_{secrets.token_hex(16)}")
        await self.module.visitor_messages.receive(visitor, "Hello")
        conversation = await self.module.visitor_messages.request_handoff(visitor)
        # Those who come later have waited less, however coarse the clock is.
        self.app.clock.advance(seconds=1)
        return conversation.id

    async def assign(self) -> int:
        return await self.module.assigner.assign_waiting(self.owner.tenant_id, self.site_id)

    async def get(self, conversation_id: int) -> Conversation:
        found = await self.module.conversation_repository.find(self.owner.tenant_id, conversation_id)
        assert found is not None
        return found

    async def holder(self, conversation_id: int) -> str | None:
        operator = (await self.get(conversation_id)).operator
        return operator.name if operator else None


@pytest.fixture(scope="module")
async def office(start_app: StartApp) -> AsyncIterator[AdminTestApp]:
    """The app of this file, whose tests move its clock: each test has a tenant of its own."""
    async with start_app() as app:
        yield app


@pytest.fixture
async def desk(office: AdminTestApp) -> Desk:
    owner = await office.create_tenant()
    site = await office.create_site(owner)
    desk = Desk(office, await office.get_caller(owner.operator_id), site["id"])
    await desk.set_routing("round_robin", capacity=2)
    return desk


async def test_the_longest_waiting_goes_to_who_has_room_and_the_history_says_why(desk: Desk) -> None:
    await desk.add_operator("Alex")
    await desk.add_operator("Sam", online=False)
    first, second, third = [await desk.wait_in_queue() for _ in range(3)]

    assert await desk.assign() == 2
    assert [await desk.holder(one) for one in (first, second, third)] == ["Alex", "Alex", None]
    entry = (await desk.get(first)).history[-1]
    assert (entry.action, entry.reason, entry.by, entry.to and entry.to.name) == (
        "assigned",
        "round_robin",
        None,
        "Alex",
    )
    assert {one.operator.name: one.status for one in entry.candidates} == {
        "Alex": "available",
        "Sam": "away",
        "Olivia Owner": "away",
    }
    assert (await desk.get(first)).due_at is not None, "it returns to the queue if Alex does not reply"
    event = await desk.app.wait_for_event("conversation.accepted", reason="round_robin", site=desk.site_id)
    assert event.actor.kind == "system"
    assert event.data["waited_seconds"] > 0

    await desk.set_online("Sam", online=True)
    assert await desk.assign() == 1
    assert await desk.holder(third) == "Sam"
    statuses = {one.operator.name: one.status for one in (await desk.get(third)).history[-1].candidates}
    assert statuses["Alex"] == "full"


async def test_room_comes_free_when_a_conversation_is_closed(desk: Desk) -> None:
    alex = await desk.add_operator("Alex", capacity=1)
    first, second = [await desk.wait_in_queue() for _ in range(2)]
    assert await desk.assign() == 1
    assert await desk.assign() == 0
    await desk.module.conversations.close(alex, first)
    assert await desk.assign() == 1
    assert await desk.holder(second) == "Alex"


async def test_conversations_go_around_or_to_who_has_fewest(desk: Desk) -> None:
    alex = await desk.add_operator("Alex", capacity=9)
    await desk.add_operator("Sam", capacity=9)
    taken = [await desk.wait_in_queue() for _ in range(2)]
    for conversation_id in taken:
        await desk.module.conversations.accept(alex, conversation_id)
    around = [await desk.wait_in_queue() for _ in range(4)]
    await desk.assign()
    assert Counter([await desk.holder(one) for one in around]) == {"Alex": 2, "Sam": 2}
    await desk.set_routing("least_busy")
    fewest = [await desk.wait_in_queue() for _ in range(2)]
    await desk.assign()
    assert [await desk.holder(one) for one in fewest] == ["Sam", "Sam"]


async def test_manual_routing_assigns_nothing(desk: Desk) -> None:
    await desk.add_operator("Alex")
    await desk.set_routing("manual")
    conversation_id = await desk.wait_in_queue()
    assert await desk.assign() == 0
    assert await desk.holder(conversation_id) is None


async def test_the_team_comes_first_then_the_fallbacks(desk: Desk) -> None:
    await desk.add_operator("Alex")
    await desk.add_operator("Sam", online=False)
    billing = await desk.add_team("Billing", "Sam")
    await desk.set_routing("round_robin", team_id=billing, fallbacks=[{"after_seconds": 60}])
    conversation_id = await desk.wait_in_queue()
    assert await desk.assign() == 0, "nobody of the team is online"
    desk.app.clock.advance(seconds=60)
    assert await desk.module.assigner.assign_waiting_everywhere() >= 1
    assert await desk.holder(conversation_id) == "Alex"


async def test_a_transfer_to_a_team_waits_for_its_members(desk: Desk) -> None:
    alex = await desk.add_operator("Alex")
    await desk.add_operator("Sam")
    billing = await desk.add_team("Billing", "Sam")
    conversation_id = await desk.wait_in_queue()
    await desk.module.conversations.accept(alex, conversation_id)

    moved = await desk.module.conversations.transfer_to_team(alex, conversation_id, billing)
    assert (moved.mode, moved.operator, moved.team_id) == ("pending", None, billing)
    entry = moved.history[-1]
    assert (entry.action, entry.team and entry.team.name) == ("transferred_to_team", "Billing")
    await desk.assign()
    assert await desk.holder(conversation_id) == "Sam"
    assert (await desk.module.conversations.release(desk.owner, conversation_id)).team_id is None


async def test_many_who_wait_for_a_team_that_is_away_do_not_keep_others_waiting(desk: Desk) -> None:
    alex = await desk.add_operator("Alex")
    await desk.add_operator("Sam", online=False)
    billing = await desk.add_team("Billing", "Sam")
    first = await desk.wait_in_queue()
    await desk.module.conversations.accept(alex, first)
    await desk.module.conversations.transfer_to_team(alex, first, billing)
    conversations = desk.app.mongo["conversations"]
    stored = await conversations.find_one({"_id": first})
    assert stored is not None
    sessions = [f"sess_{secrets.token_hex(16)}" for _ in range(200)]
    await conversations.insert_many(
        {
            **stored,
            "_id": -first * 1000 - number,
            "visitor_key": f"{desk.site_id}:{session}",
            "visitor": {**stored["visitor"], "session": session},
            "outbox": [],
        }
        for number, session in enumerate(sessions)
    )
    desk.app.clock.advance(seconds=1)
    last = await desk.wait_in_queue()
    await desk.assign()
    assert await desk.holder(last) == "Alex"


async def test_a_team_of_another_site_gets_no_conversation(desk: Desk) -> None:
    alex = await desk.add_operator("Alex")
    other = await desk.app.create_site(desk.owner, "Blog")
    caller = await desk.app.get_caller(desk.owner.operator_id)
    body = {"name": "Blog", "site_ids": [other["id"]]}
    team = (await desk.app.call("POST", "/api/v1/teams", caller, body)).ok(201)["team"]
    stranger = await desk.app.create_tenant()
    foreign_site = await desk.app.create_site(stranger)
    body = {"name": "Foreign", "site_ids": [foreign_site["id"]]}
    foreign = (await desk.app.call("POST", "/api/v1/teams", stranger, body)).ok(201)["team"]
    conversation_id = await desk.wait_in_queue()
    for team_id in (team["id"], foreign["id"], foreign["id"] + 999):
        with pytest.raises(ValidationFailed) as caught:
            await desk.module.conversations.transfer_to_team(alex, conversation_id, team_id)
        assert caught.value.fields == {"team_id": "is not a team of this site"}


async def test_who_let_it_time_out_does_not_get_it_again_at_once(desk: Desk) -> None:
    await desk.add_operator("Alex")
    conversation_id = await desk.wait_in_queue()
    await desk.assign()
    await desk.set_online("Alex", online=True)
    desk.app.clock.advance(seconds=400)
    assert await desk.module.operator_timeouts.return_overdue() >= 1
    assert await desk.holder(conversation_id) is None
    assert await desk.assign() == 0
    await desk.add_operator("Sam")
    assert await desk.assign() == 1
    assert await desk.holder(conversation_id) == "Sam"


async def test_replicas_that_assign_at_once_exceed_no_capacity(desk: Desk) -> None:
    for name, capacity in (("Alex", 3), ("Sam", 2), ("Kim", 1)):
        await desk.add_operator(name, capacity=capacity)
    waiting = [await desk.wait_in_queue() for _ in range(8)]
    replicas = [desk.module, desk.new_replica(), desk.new_replica()]
    for _ in range(2):
        await asyncio.gather(*(one.assigner.assign_waiting(desk.owner.tenant_id, desk.site_id) for one in replicas * 2))
    await desk.assign()
    held = Counter([await desk.holder(one) for one in waiting])
    assert held == {"Alex": 3, "Sam": 2, "Kim": 1, None: 2}
    for conversation_id in waiting:
        assert [one.action for one in (await desk.get(conversation_id)).history].count("assigned") <= 1
    slots = await desk.app.mongo["assignment_slots"].find({"tenant_id": desk.owner.tenant_id}).to_list()
    assert not [slot for slot in slots if slot["reserved"]]


class PausedConversations:
    """The conversations of a replica that pauses just before it writes an assignment."""

    def __init__(self, conversations: ConversationRepository) -> None:
        self._conversations = conversations
        self.reached, self.resume = asyncio.Event(), asyncio.Event()

    async def change(self, tenant_id: int, conversation_id: int, transition: Transition) -> Change | None:
        self.reached.set()
        await self.resume.wait()
        return await self._conversations.change(tenant_id, conversation_id, transition)


async def test_what_is_assigned_in_the_moment_of_a_removal_returns_to_the_queue(desk: Desk) -> None:
    alex = await desk.add_operator("Alex")
    await desk.add_operator("Sam")
    conversations = [await desk.wait_in_queue() for _ in range(2)]
    assert await desk.assign() == 2
    # Nothing consumes events here, so what Alex has stays assigned, as what is assigned after the event.
    (await desk.app.call("DELETE", f"/api/v1/team/{alex.operator_id}", desk.owner)).ok()
    assert await desk.module.lost_access.return_orphaned() == 1
    assert sorted([await desk.holder(one) or "" for one in conversations]) == ["", "Sam"]
    assert await desk.module.lost_access.return_orphaned() == 0
    assert await desk.assign() == 1
    assert [await desk.holder(one) for one in conversations] == ["Sam", "Sam"]


async def test_the_room_of_a_stopped_replica_is_free_again_and_its_late_write_fails(desk: Desk) -> None:
    await desk.add_operator("Alex", capacity=1)
    billing = await desk.add_team("Billing", "Alex")
    await desk.set_routing("round_robin", team_id=billing)
    stuck = await desk.wait_in_queue()
    paused = PausedConversations(desk.new_replica().conversation_repository)
    assigner = replace(desk.module.assigner, conversations=cast("ConversationRepository", paused))
    late = asyncio.create_task(assigner.assign_waiting(desk.owner.tenant_id, desk.site_id))
    await paused.reached.wait()

    # The conversation may not go to Alex any more, but the paused replica does not know it.
    other = await desk.add_team("Other")
    await desk.module.conversations.transfer_to_team(desk.owner, stuck, other)
    await desk.set_routing("round_robin", team_id=billing)
    second = await desk.wait_in_queue()
    assert await desk.assign() == 0, "the paused replica has reserved Alex's room"
    desk.app.clock.advance(seconds=31)
    assert await desk.assign() == 1
    assert await desk.holder(second) == "Alex"
    paused.resume.set()
    assert await late == 0
    assert await desk.holder(stuck) is None


async def test_another_replica_assigns_what_a_stopped_one_has_begun(desk: Desk) -> None:
    await desk.add_operator("Alex", capacity=1)
    conversation_id = await desk.wait_in_queue()
    paused = PausedConversations(desk.new_replica().conversation_repository)
    assigner = replace(desk.module.assigner, conversations=cast("ConversationRepository", paused))
    late = asyncio.create_task(assigner.assign_waiting(desk.owner.tenant_id, desk.site_id))
    await paused.reached.wait()
    assert await desk.assign() == 1
    paused.resume.set()
    assert await late == 0
    assert [one.action for one in (await desk.get(conversation_id)).history].count("assigned") == 1


async def test_a_visitor_sees_the_place_and_the_median_wait(desk: Desk) -> None:
    alex = await desk.add_operator("Alex", online=False, capacity=9)
    await desk.set_online("Alex", online=True)
    await desk.set_routing("manual")
    first, second = [await desk.wait_in_queue() for _ in range(2)]
    places = desk.module.queue_places
    place = await places.find(await desk.get(second))
    assert place is not None
    assert (place.position, place.estimated_wait_seconds) == (2, None)

    handlers = AssignmentHandlers(desk.module.assigner, places, desk.module.waits)
    for conversation_id in [await desk.wait_in_queue() for _ in range(3)]:
        desk.app.clock.advance(seconds=30)
        await desk.module.conversations.accept(alex, conversation_id)
        event = await desk.app.wait_for_event(
            "conversation.accepted", operator={"id": alex.operator_id, "name": "Alex"}
        )
        desk.app.events.remove(event)
        for _ in range(2):
            await handlers.by_type()["conversation.accepted"](event)
    assert await desk.app.mongo["queue_waits"].count_documents({"site_id": desk.site_id}) == 3, (
        "an event that arrives twice counts once"
    )
    place = await places.find(await desk.get(second))
    assert place is not None
    assert place.estimated_wait_seconds == pytest.approx(62, abs=3)
    await desk.module.conversations.accept(alex, first)
    place = await places.find(await desk.get(second))
    assert place is not None
    assert place.position == 1
    assert await places.find(await desk.get(first)) is None
    desk.app.clock.advance(seconds=3700)
    place = await places.find(await desk.get(second))
    assert place is not None
    assert place.estimated_wait_seconds is None, "only the last hour counts"
