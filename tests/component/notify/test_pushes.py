"""Push notifications: sent once, unless the event was seen on a stream or read."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from functools import partial

from support.fcm import FcmServer
from support.notify import FakeTeam, NotifyReplica, Scenario, StartReplica
from support.pushes import AddPushOperator, SendFirstPush, count_outcome, register_device, wait_for_push
from support.wait import wait_until


async def test_an_operator_without_a_stream_gets_a_push_for_a_message(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    operator, token = await add_push_operator(push_replica)
    await scenario.accept(operator)
    await scenario.send_message("Hello?")
    message = await wait_for_push(fcm, token)
    assert message["notification"] == {"title": "Jane", "body": "Hello?"}
    tag = f"conversation-{scenario.conversation_id}"
    assert message["android"]["collapse_key"] == tag
    assert message["apns"]["headers"]["apns-collapse-id"] == tag
    assert message["webpush"]["notification"]["tag"] == tag
    assert message["data"]["conversation_id"] == str(scenario.conversation_id)
    assert token not in push_replica.log_file.read_text()
    assert "Hello?" not in push_replica.log_file.read_text()


async def test_an_operator_whose_stream_showed_the_message_gets_no_push(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    operator, token = await add_push_operator(push_replica)
    count_seen = await count_outcome(push_replica, "seen")
    await scenario.accept(operator)
    async with push_replica.stream(operator) as stream:
        await scenario.send_message("Hello?")
        await stream.wait_for("message.created")
        await wait_until(count_seen)
    assert not fcm.pushes_for(token)
    await scenario.send_message("Still there?")
    assert (await wait_for_push(fcm, token))["notification"]["body"] == "Still there?"


async def test_a_stream_on_another_replica_prevents_the_push(
    start_replica: StartReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    first, second = [await start_replica(push_delay_seconds=1, **fcm.notify_settings) for _ in range(2)]
    operator, token = await add_push_operator(first)
    await scenario.accept(operator)

    counters = [await count_outcome(replica, "seen") for replica in (first, second)]

    async def count_seen() -> float:
        return sum([await counter() for counter in counters])

    for number, replica in enumerate((first, second), 1):
        async with replica.stream(operator) as stream:
            await scenario.send_message("Hello?")
            await stream.wait_for("message.created")
            await wait_until(partial(_equals, count_seen, number))
    assert not fcm.pushes_for(token)


async def _equals(probe: Callable[[], Awaitable[float]], expected: float) -> bool:
    return await probe() == expected


async def test_a_stream_that_resumes_in_time_prevents_the_push(
    start_replica: StartReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    replica = await start_replica(push_delay_seconds=2, **fcm.notify_settings)
    operator, token = await add_push_operator(replica)
    count_seen = await count_outcome(replica, "seen")
    await scenario.accept(operator)
    async with replica.stream(operator) as stream:
        last_event_id = stream.last_event_id
    await scenario.send_message("Hello?")
    async with replica.stream(operator, last_event_id) as stream:
        await stream.wait_for("message.created")
        await wait_until(count_seen)
    assert not fcm.pushes_for(token)


async def test_a_message_that_is_read_before_the_push_is_due_causes_none(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    operator, token = await add_push_operator(push_replica)
    await scenario.accept(operator)
    event = await scenario.send_message("Hello?")
    await scenario.mark_read(operator, event.data["seq"])
    await scenario.send_message("And now?")
    message = await wait_for_push(fcm, token)
    assert message["notification"]["body"] == "And now?"
    assert message["data"]["seq"] == "2"
    read = await scenario.send_message("Read before it was due")
    await scenario.mark_read(operator, read.data["seq"])
    other = scenario.other_conversation()
    await other.accept(operator)
    await other.send_message("The last one")
    assert (await wait_for_push(fcm, token, 2))["notification"]["body"] == "The last one"


async def test_several_messages_of_one_conversation_cause_one_push(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    operator, token = await add_push_operator(push_replica)
    await scenario.accept(operator)
    for number in range(5):
        await scenario.send_message(f"line {number}")
    assert (await wait_for_push(fcm, token))["notification"]["body"] == "line 4"


async def test_each_device_gets_one_push_despite_duplicate_events_and_several_replicas(
    start_replica: StartReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    replicas = [await start_replica(push_delay_seconds=0.3, **fcm.notify_settings) for _ in range(3)]
    operator, first = await add_push_operator(replicas[0])
    second = await register_device(replicas[1], operator, "ios")
    await scenario.accept(operator)
    for number in range(1, 9):
        event = await scenario.send_message(f"Hello {number}")
        await scenario.republish(event)
        await wait_for_push(fcm, first, number)
        await wait_for_push(fcm, second, number)
        await scenario.republish(event)
    # A new replica reads all of it again.
    for replica in replicas:
        await replica.stop()
    new_replica = await start_replica(push_delay_seconds=0.3, **fcm.notify_settings)
    await scenario.send_message("The last one")
    assert (await wait_for_push(fcm, first, 9, timeout=20))["notification"]["body"] == "The last one"
    assert (await wait_for_push(fcm, second, 9))["notification"]["body"] == "The last one"
    await new_replica.stop()


async def test_a_duplicate_of_an_event_that_was_evicted_from_the_replay_buffer_causes_no_push(
    start_replica: StartReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    replica = await start_replica(push_delay_seconds=0.3, window_bytes=65_536, **fcm.notify_settings)
    operator, token = await add_push_operator(replica)
    await scenario.accept(operator)
    original = await scenario.send_message("Hello?")
    await wait_for_push(fcm, token)
    async with replica.stream(scenario.operator()) as stream:
        for _ in range(60):
            await scenario.add_note("x" * 1500)
        await scenario.republish(original)
        await stream.wait_for("message.created", lambda event: event.data["id"] == original.id)
    other = scenario.other_conversation()
    await other.accept(operator)
    await other.send_message("Once more")
    assert (await wait_for_push(fcm, token, 2))["notification"]["body"] == "Once more"


async def test_another_replica_takes_the_cursor_over_from_a_killed_one(
    start_replica: StartReplica, scenario: Scenario, fcm: FcmServer, send_first_push: SendFirstPush
) -> None:
    first = await start_replica(push_delay_seconds=0.3, **fcm.notify_settings)
    token = await send_first_push(first)
    second = await start_replica(push_delay_seconds=0.3, **fcm.notify_settings)
    await first.stop(signal.SIGKILL)
    await scenario.send_message("two")
    assert (await wait_for_push(fcm, token, 2, timeout=20))["notification"]["body"] == "two"
    assert "push_cursor_taken" in second.log_file.read_text()


async def test_a_pending_conversation_notifies_all_chat_operators_in_their_language(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    _, english = await add_push_operator(push_replica)
    _, brazilian = await add_push_operator(push_replica, "pt-BR")
    _, viewer = await add_push_operator(push_replica, "en", "can_view_conversations")
    await scenario.request_operator()
    assert (await wait_for_push(fcm, english))["notification"] == {
        "title": "Jane is waiting for a reply",
        "body": "Is anybody there?",
    }
    assert (await wait_for_push(fcm, brazilian))["notification"]["title"] == "Jane aguarda uma resposta"
    await scenario.send_message("Please")
    await wait_for_push(fcm, english, 2)
    assert not fcm.pushes_for(viewer)


async def test_an_accepted_conversation_notifies_nobody_else(
    start_replica: StartReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    replica = await start_replica(push_delay_seconds=1.5, **fcm.notify_settings)
    operator, own = await add_push_operator(replica)
    colleague, other = await add_push_operator(replica)
    await scenario.request_operator()
    await scenario.accept(operator)
    await scenario.transfer(colleague)
    message = await wait_for_push(fcm, other)
    assert message["notification"]["title"] == "Jane: transferred to you"
    assert not fcm.pushes_for(own)


async def test_an_operator_who_lost_access_before_the_push_is_due_gets_none(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
    team: FakeTeam,
) -> None:
    operator, token = await add_push_operator(push_replica)
    count_no_access = await count_outcome(push_replica, "no_access")
    await scenario.accept(operator)
    await scenario.send_message("one")
    await wait_for_push(fcm, token)
    del team.operators[scenario.site_id][operator.operator_id]
    await scenario.change_access(operator, 2)
    await scenario.send_message("two")
    await wait_until(count_no_access)
    assert len(fcm.pushes_for(token)) == 1


async def test_pushes_are_sent_after_chat_was_unavailable(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
    team: FakeTeam,
) -> None:
    operator, token = await add_push_operator(push_replica)
    team.unavailable = True
    try:
        await scenario.request_operator()
        other = scenario.other_conversation()
        await other.accept(operator)
        await other.send_message("Hello?")
        assert not fcm.pushes_for(token)
    finally:
        team.unavailable = False
    await wait_for_push(fcm, token, 2, timeout=20)


async def test_without_preview_a_push_shows_neither_name_nor_text(
    start_replica: StartReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    replica = await start_replica(push_delay_seconds=0.2, push_preview="false", **fcm.notify_settings)
    operator, token = await add_push_operator(replica, "de")
    await scenario.accept(operator)
    await scenario.send_message("My secret")
    message = await wait_for_push(fcm, token)
    assert message["notification"] == {"title": "Live-Chat", "body": "Neues in einem Chat"}
    assert "secret" not in str(message)
    assert "Jane" not in str(message)


async def test_a_change_to_private_pushes_on_a_site_has_an_immediate_effect(
    push_replica: NotifyReplica,
    scenario: Scenario,
    team: FakeTeam,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    operator, token = await add_push_operator(push_replica)
    await scenario.accept(operator)
    await scenario.send_message("Not secret yet")
    assert (await wait_for_push(fcm, token))["notification"] == {"title": "Jane", "body": "Not secret yet"}
    team.site_settings[scenario.site_id] = {"private_push": True}
    await scenario.change_site()
    await scenario.send_message("My secret")
    message = await wait_for_push(fcm, token, 2)
    assert message["notification"] == {"title": "Live chat", "body": "New activity in a conversation"}
    assert "secret" not in str(message)
    assert "Jane" not in str(message)


async def test_with_manual_routing_a_pending_conversation_causes_no_push(
    push_replica: NotifyReplica,
    scenario: Scenario,
    team: FakeTeam,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    team.site_settings[scenario.site_id] = {"routing": "manual"}
    operator, token = await add_push_operator(push_replica)
    await scenario.request_operator()
    await scenario.send_message("Is anybody there?")
    await scenario.accept(operator)
    await scenario.send_message("For the assigned operator")
    assert (await wait_for_push(fcm, token))["notification"]["body"] == "For the assigned operator"
    team.site_settings[scenario.site_id] = {}
    await scenario.change_site()
    await scenario.request_operator()
    await wait_for_push(fcm, token, 2)


async def test_an_operator_whom_a_note_mentions_gets_a_push(
    push_replica: NotifyReplica,
    scenario: Scenario,
    fcm: FcmServer,
    add_push_operator: AddPushOperator,
) -> None:
    mentioned, token = await add_push_operator(push_replica)
    _, other = await add_push_operator(push_replica)
    await scenario.add_note("@Sam, please look", mentions=(mentioned.operator_id,))
    message = await wait_for_push(fcm, token)
    assert message["notification"] == {"title": "Alex mentioned you", "body": "@Sam, please look"}
    assert message["data"]["type"] == "mention"
    assert not fcm.pushes_for(other)
