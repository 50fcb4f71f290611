"""Live streams: which events are shown, and to whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from parley.common.auth.identity import Permission
from parley.common.events.presence import OnlineVisitor, OperatorOnline, VisitorOnline
from parley.common.runtime.clock import utc_now
from support.notify import NotifyReplica, Scenario, StartReplica, message_texts, wait_for_message
from support.wait import wait_until

STREAM_PATH = "/api/v1/operator/stream"


async def test_a_stream_begins_with_ready_and_shows_later_events(replica: NotifyReplica, scenario: Scenario) -> None:
    caller = scenario.operator()
    async with replica.stream(caller) as stream:
        ready = stream.events[0]
        assert ready.type == "ready"
        assert ready.id is not None
        assert ready.data["data"] == {
            "operator": {"id": caller.operator_id, "name": "Alex"},
            "sites": [scenario.site_id],
            "resumed_from": None,
        }
        event = await scenario.send_message("Hello")
        shown = await stream.wait_for("message.created")
        assert shown.id is not None
        assert int(shown.id) > int(ready.id)
        assert shown.data["id"] == event.id
        assert shown.data["site_id"] == scenario.site_id
        assert shown.data["conversation_id"] == scenario.conversation_id
        assert shown.data["data"]["content"] == "Hello"


async def test_events_before_a_first_stream_are_not_shown(replica: NotifyReplica, scenario: Scenario) -> None:
    async with replica.stream(scenario.operator()) as first:
        await scenario.send_message("before")
        await wait_for_message(first, "before")
    async with replica.stream(scenario.operator()) as stream:
        await scenario.send_message("after")
        await wait_for_message(stream, "after")
        assert message_texts(stream) == ["after"]


async def test_operators_see_only_events_of_their_sites_live_and_replayed(
    replica: NotifyReplica, scenario: Scenario
) -> None:
    other_tenant = Scenario(scenario.broker)
    caller = scenario.operator()
    async with replica.stream(caller) as stream:
        start = stream.last_event_id
        await other_tenant.send_message("not yours")
        await scenario.send_message("own")
        await wait_for_message(stream, "own")
        assert message_texts(stream) == ["own"]
    async with replica.stream(caller, start) as stream:
        await scenario.send_message("end")
        await wait_for_message(stream, "end")
        assert message_texts(stream) == ["own", "end"]


async def test_a_replay_is_authorized_by_the_operators_current_permissions(
    replica: NotifyReplica, scenario: Scenario
) -> None:
    other_site = Scenario(scenario.broker, tenant_id=scenario.tenant_id)
    all_permissions = frozenset(Permission)
    operator = scenario.operator(sites={scenario.site_id: all_permissions, other_site.site_id: all_permissions})
    async with replica.stream(operator) as stream:
        start = stream.last_event_id
        await scenario.send_message("one")
        await other_site.send_message("two")
        await wait_for_message(stream, "two")
        assert message_texts(stream) == ["one", "two"]
    sites = {scenario.site_id: all_permissions, other_site.site_id: frozenset({Permission.CHAT})}
    async with replica.stream(replace(operator, sites=sites), start) as stream:
        await scenario.send_message("end")
        await wait_for_message(stream, "end")
        assert message_texts(stream) == ["one", "end"]


async def test_a_visitor_sees_their_own_messages_and_never_a_note(replica: NotifyReplica, scenario: Scenario) -> None:
    other_visitor = scenario.other_conversation()
    presence = OnlineVisitor(site_id=scenario.site_id, session_id=scenario.session, since=utc_now())

    async def publish_all() -> None:
        await scenario.add_note("a note for operators")
        await other_visitor.send_message("another visitor's")
        await scenario.publish(VisitorOnline(visitor=presence))
        await scenario.publish(OperatorOnline(operator_id=7))
        await scenario.change_access(scenario.operator(), 2)
        await scenario.send_message("mine", role="operator")

    async with replica.stream(scenario.visitor()) as stream, replica.stream(scenario.operator()) as operators:
        assert stream.events[0].data["data"] == {"sites": [scenario.site_id], "resumed_from": None}
        start = stream.last_event_id
        await publish_all()
        await wait_for_message(stream, "mine")
        await wait_for_message(operators, "mine")
        assert [event.type for event in stream.events] == ["ready", "message.created"]
        assert [event.type for event in operators.events] == [
            "ready",
            "note.created",
            "message.created",
            "visitor.online",
            "operator.online",
            "message.created",
        ]
    async with replica.stream(scenario.visitor(), start) as stream:
        await scenario.send_message("end")
        await wait_for_message(stream, "end")
        assert [event.type for event in stream.events] == ["ready", "message.created", "message.created"]
        assert "conversation" not in stream.events[1].data["data"], "the conversation's row is only for operators"


async def test_a_visitor_with_the_same_session_on_another_site_sees_nothing(
    replica: NotifyReplica, scenario: Scenario
) -> None:
    other_site = Scenario(scenario.broker, session=scenario.session)
    async with replica.stream(other_site.visitor()) as stream:
        await scenario.send_message("not yours")
        await other_site.send_message("yours")
        await wait_for_message(stream, "yours")
        assert message_texts(stream) == ["yours"]


@pytest.mark.parametrize(
    "content",
    ["a\n\nevent: message.created\ndata: {}\n\n", "a\r\nid: 1\r\n\r\n", "a\rdata: x\r\r", "\u2028data: x", "\x00\n:"],
)
async def test_content_cannot_forge_an_event(replica: NotifyReplica, scenario: Scenario, content: str) -> None:
    async with replica.stream(scenario.operator()) as operators, replica.stream(scenario.visitor()) as visitors:
        await scenario.send_message(content)
        await scenario.send_message("end")
        for stream in (operators, visitors):
            await wait_for_message(stream, "end")
            assert message_texts(stream) == [content, "end"]
            assert [event.type for event in stream.events] == ["ready", "message.created", "message.created"]


async def test_typing_is_shown_to_the_other_participants_without_a_position(
    replica: NotifyReplica, scenario: Scenario
) -> None:
    author, colleague = scenario.operator(), scenario.operator()
    async with (
        replica.stream(author) as own,
        replica.stream(colleague) as other,
        replica.stream(scenario.visitor()) as visitor,
    ):
        await scenario.send_typing("operator", author)
        shown = await visitor.wait_for("typing")
        assert shown.id is None
        assert shown.data["data"] == {"role": "operator", "name": "Alex"}
        await other.wait_for("typing")
        await scenario.send_typing("visitor")
        await own.wait_for("typing", lambda event: event.data["data"]["role"] == "visitor")
        await other.wait_for("typing", lambda event: event.data["data"]["role"] == "visitor")
        await scenario.send_message("end")
        await wait_for_message(own, "end")
        await wait_for_message(visitor, "end")
        assert len(own.of_type("typing")) == 1
        assert len(visitor.of_type("typing")) == 1


async def test_a_caller_without_the_view_permission_gets_no_stream(replica: NotifyReplica, scenario: Scenario) -> None:
    operator = scenario.operator(sites={scenario.site_id: frozenset({Permission.CHAT})})
    status, body, _ = await replica.request(operator, "GET", STREAM_PATH)
    assert (status, body["code"]) == (403, "forbidden")
    status, body, _ = await replica.request(scenario.visitor(), "GET", STREAM_PATH)
    assert (status, body["code"]) == (401, "unauthenticated")
    status, body, _ = await replica.request(scenario.operator(), "GET", "/api/v1/chat/events")
    assert (status, body["code"]) == (401, "unauthenticated")


async def test_an_idle_stream_is_kept_alive_by_comments(start_replica: StartReplica, scenario: Scenario) -> None:
    replica = await start_replica(stream_comment_seconds=1)
    async with replica.stream(scenario.operator()) as stream:
        await wait_until(lambda: stream.comments >= 2, timeout=5)
        assert message_texts(stream) == [], "comments are not events"
