"""Live streams: what is shown, and to whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from parley.common.auth.identity import Permission
from parley.common.events.presence import OnlineVisitor, OperatorOnline, VisitorOnline
from parley.common.runtime.clock import utc_now
from support.notify import Replica, Scene, shown, texts
from support.wait import until

StartReplica = Callable[..., Awaitable[Replica]]
STREAM = "/api/v1/operator/stream"


async def test_a_stream_begins_with_ready_and_shows_what_happens_then(replica: Replica, scene: Scene) -> None:
    caller = scene.operator()
    async with replica.stream(caller) as events:
        ready = events.seen[0]
        assert ready.type == "ready"
        assert ready.id is not None
        assert ready.data["data"] == {
            "operator": {"id": caller.operator_id, "name": "Alex"},
            "sites": [scene.site_id],
            "resumed_from": None,
        }
        told = await scene.say("Hello")
        seen = await events.wait("message.created")
        assert seen.id is not None
        assert int(seen.id) > int(ready.id)
        assert seen.data["id"] == told.id
        assert seen.data["site_id"] == scene.site_id
        assert seen.data["conversation_id"] == scene.conversation_id
        assert seen.data["data"]["content"] == "Hello"


async def test_what_happened_before_a_first_stream_is_not_shown(replica: Replica, scene: Scene) -> None:
    async with replica.stream(scene.operator()) as first:
        await scene.say("before")
        await shown(first, "before")
    async with replica.stream(scene.operator()) as events:
        await scene.say("after")
        await shown(events, "after")
        assert texts(events) == ["after"]


async def test_operators_see_only_their_sites_also_in_a_replay(replica: Replica, scene: Scene) -> None:
    foreign = Scene(scene.bus)
    caller = scene.operator()
    async with replica.stream(caller) as events:
        start = events.last_id
        await foreign.say("foreign")
        await scene.say("own")
        await shown(events, "own")
        assert texts(events) == ["own"]
    async with replica.stream(caller, start) as events:
        await scene.say("end")
        await shown(events, "end")
        assert texts(events) == ["own", "end"]


async def test_a_replay_is_authorized_by_what_the_operator_may_see_now(replica: Replica, scene: Scene) -> None:
    second = Scene(scene.bus, tenant_id=scene.tenant_id)
    both = scene.operator(sites={scene.site_id: frozenset(Permission), second.site_id: frozenset(Permission)})
    async with replica.stream(both) as events:
        start = events.last_id
        await scene.say("one")
        await second.say("two")
        await shown(events, "two")
        assert texts(events) == ["one", "two"]
    only_chat = {scene.site_id: frozenset(Permission), second.site_id: frozenset({Permission.CHAT})}
    async with replica.stream(replace(both, sites=only_chat), start) as events:
        await scene.say("end")
        await shown(events, "end")
        assert texts(events) == ["one", "end"]


async def test_a_visitor_sees_their_own_messages_and_never_a_note(replica: Replica, scene: Scene) -> None:
    neighbour = Scene(scene.bus, tenant_id=scene.tenant_id, site_id=scene.site_id)
    presence = OnlineVisitor(site_id=scene.site_id, session_id=scene.session, since=utc_now())

    async def everything() -> None:
        await scene.note("VIP, do not tell")
        await neighbour.say("somebody else's")
        await scene.tell(VisitorOnline(visitor=presence))
        await scene.tell(OperatorOnline(operator_id=7))
        await scene.access_changed(scene.operator(), 2)
        await scene.say("mine", role="operator")

    async with replica.stream(scene.visitor()) as events, replica.stream(scene.operator()) as operators:
        assert events.seen[0].data["data"] == {"sites": [scene.site_id], "resumed_from": None}
        start = events.last_id
        await everything()
        await shown(events, "mine")
        await shown(operators, "mine")
        assert [event.type for event in events.seen] == ["ready", "message.created"]
        kinds = [event.type for event in operators.seen]
        assert kinds == [
            "ready",
            "note.created",
            "message.created",
            "visitor.online",
            "operator.online",
            "message.created",
        ]
    async with replica.stream(scene.visitor(), start) as events:
        await scene.say("end")
        await shown(events, "end")
        assert [event.type for event in events.seen] == ["ready", "message.created", "message.created"]
        assert "conversation" not in events.seen[1].data["data"], "the row that operators see is not for visitors"


async def test_a_visitor_of_the_same_session_name_on_another_site_sees_nothing(replica: Replica, scene: Scene) -> None:
    elsewhere = Scene(scene.bus, session=scene.session)
    async with replica.stream(elsewhere.visitor()) as events:
        await scene.say("not yours")
        await elsewhere.say("yours")
        await shown(events, "yours")
        assert texts(events) == ["yours"]


@pytest.mark.parametrize(
    "content",
    ["a\n\nevent: message.created\ndata: {}\n\n", "a\r\nid: 1\r\n\r\n", "a\rdata: x\r\r", "\u2028data: x", "\x00\n:"],
)
async def test_no_frame_can_be_forged(replica: Replica, scene: Scene, content: str) -> None:
    async with replica.stream(scene.operator()) as operators, replica.stream(scene.visitor()) as visitors:
        await scene.say(content)
        await scene.say("end")
        for events in (operators, visitors):
            await shown(events, "end")
            assert texts(events) == [content, "end"]
            assert [event.type for event in events.seen] == ["ready", "message.created", "message.created"]


async def test_typing_is_shown_to_the_other_side_without_a_position(replica: Replica, scene: Scene) -> None:
    author, colleague = scene.operator(), scene.operator()
    async with (
        replica.stream(author) as own,
        replica.stream(colleague) as other,
        replica.stream(scene.visitor()) as visitor,
    ):
        await scene.type("operator", author)
        seen = await visitor.wait("typing")
        assert seen.id is None
        assert seen.data["data"] == {"role": "operator", "name": "Alex"}
        await other.wait("typing")
        await scene.type("visitor")
        await own.wait("typing", lambda event: event.data["data"]["role"] == "visitor")
        await other.wait("typing", lambda event: event.data["data"]["role"] == "visitor")
        await scene.say("end")
        await shown(own, "end")
        await shown(visitor, "end")
        assert len(own.of("typing")) == 1
        assert len(visitor.of("typing")) == 1


async def test_who_may_not_see_conversations_gets_no_stream(replica: Replica, scene: Scene) -> None:
    nobody = scene.operator(sites={scene.site_id: frozenset({Permission.CHAT})})
    status, body, _ = await replica.call(nobody, "GET", STREAM)
    assert (status, body["code"]) == (403, "forbidden")
    status, body, _ = await replica.call(scene.visitor(), "GET", STREAM)
    assert (status, body["code"]) == (401, "unauthenticated")
    status, body, _ = await replica.call(scene.operator(), "GET", "/api/v1/chat/events")
    assert (status, body["code"]) == (401, "unauthenticated")


async def test_a_silent_stream_is_kept_alive_by_comments(start_replica: StartReplica, scene: Scene) -> None:
    replica = await start_replica(stream_comment_seconds=1)
    async with replica.stream(scene.operator()) as events:
        await until(lambda: events.comments >= 2, within=5)
        assert texts(events) == [], "comments are no events"
