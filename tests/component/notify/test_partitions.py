"""The event log's partitions: followed on demand, shared by replicas for pushes, recognized when the log is another."""

from __future__ import annotations

import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import pytest

from parley.common.messaging import BrokerConnection
from parley.common.runtime.clock import utc_now
from parley.notify.streaming.event_log import EventLog
from parley.notify.streaming.first_records import FirstRecords
from parley.notify.streaming.hub import Hub
from parley_dev.servers import RabbitServer
from support.fcm import FcmServer
from support.notify import (
    FakeTeam,
    NotifyReplica,
    Scenario,
    StartReplica,
    connect_as_chat,
    message_texts,
    wait_for_message,
)
from support.pushes import register_device
from support.wait import wait_until

PARTITIONS = 16


async def test_the_age_of_a_partitions_newest_event_is_measured_when_it_is_read(
    replica: NotifyReplica, broker: BrokerConnection
) -> None:
    scenario = Scenario(broker)
    messages = [scenario.make_message(text) for text in ("older", "newest")]
    happened_at = [utc_now() - timedelta(seconds=age) for age in (300, 100)]
    events = [one.model_copy(update={"occurred_at": at}) for one, at in zip(messages, happened_at, strict=True)]
    async with replica.stream(scenario.operator()) as stream:
        await broker.publish([event.to_document() for event in events])
        await wait_for_message(stream, "newest")
        partition = scenario.tenant_id % PARTITIONS
        age = await replica.metric(f'parley_notify_log_behind_seconds{{partition="{partition}"}}')
        assert 100 <= age < 150


async def test_a_replica_is_ready_without_a_partition_and_follows_those_of_its_streams(
    start_replica: StartReplica, broker: BrokerConnection
) -> None:
    replica = await start_replica()
    one, other = Scenario(broker), Scenario(broker)
    assert one.tenant_id % PARTITIONS != other.tenant_id % PARTITIONS
    assert await replica.metric("parley_notify_partitions_followed") == 0
    await one.send_message("before")
    async with replica.stream(one.operator()) as stream:
        await wait_until(partial(_follows, replica, 1))
        await other.send_message("not read")
        await one.send_message("shown")
        await wait_for_message(stream, "shown")
        assert message_texts(stream) == ["shown"]
        async with replica.stream(other.operator()):
            await wait_until(partial(_follows, replica, 2))


@asynccontextmanager
async def run_event_log(amqp_url: str) -> AsyncIterator[EventLog]:
    hub = Hub(buffer_bytes=65_536, comment_seconds=10, operator_streams=5, visitor_streams=5)
    first_records = FirstRecords()
    event_log = EventLog(
        hub, PARTITIONS, first_records.append, retention_seconds=600, max_bytes=10_000_000, idle_seconds=0.5
    )
    connection = BrokerConnection(amqp_url)
    connection.add(first_records)
    connection.add(event_log)
    await connection.start()
    try:
        await wait_until(lambda: connection.unready_reason() is None)
        yield event_log
    finally:
        await connection.stop()


@pytest.fixture
async def event_log(amqp_url: str) -> AsyncIterator[EventLog]:
    """A log in this process, which leaves a partition half a second after its last stream."""
    async with run_event_log(amqp_url) as event_log:
        yield event_log


async def test_a_partition_is_left_some_time_after_its_last_stream(event_log: EventLog, scenario: Scenario) -> None:
    partition = event_log.get_partition(scenario.tenant_id)
    with event_log.follow_for_stream(partition) as tailer:
        await tailer.wait_caught_up(10)
        with event_log.follow_for_stream(partition) as same:
            assert same is tailer
        await event_log.run_maintenance()
        assert event_log.stream_partitions() == [partition]
    await event_log.run_maintenance()
    assert event_log.stream_partitions() == [partition], "a client that reconnects finds it"
    assert tailer.running

    async def is_left() -> bool:
        await event_log.run_maintenance()
        return not tailer.running

    await wait_until(is_left)
    assert event_log.stream_partitions() == []
    with event_log.follow_for_stream(partition) as again:
        assert again is not tailer
        await again.wait_caught_up(10)


async def test_a_change_of_access_from_before_the_first_stream_is_known(
    start_replica: StartReplica, scenario: Scenario
) -> None:
    replica = await start_replica()
    operator = scenario.operator()
    await scenario.change_access(operator, version=2)
    status, body, _ = await replica.request(operator, "GET", "/api/v1/operator/stream")
    assert (status, body["code"]) == (503, "access_outdated")


async def test_a_replica_with_another_number_of_partitions_is_refused(start_replica: StartReplica) -> None:
    """Otherwise it would look for a tenant's events where nobody publishes them."""
    replica = await start_replica(wait_ready=False, log_partitions=8)
    await wait_until(lambda: "x-max-length-bytes" in replica.log_file.read_text(), timeout=20)
    assert not await replica.is_ready()


async def test_replicas_share_the_partitions_of_pushes_and_take_over_those_of_a_killed_one(
    start_replica: StartReplica, fcm: FcmServer, team: FakeTeam, broker: BrokerConnection
) -> None:
    first = await start_replica(push_delay_seconds=0.3, **fcm.notify_settings)
    await wait_until(partial(_plans, first, PARTITIONS), timeout=15)
    second = await start_replica(push_delay_seconds=0.3, **fcm.notify_settings)
    for replica in (first, second):
        await wait_until(partial(_plans, replica, PARTITIONS // 2), timeout=15)
    tokens, later_conversations = [], []
    for scenario in [Scenario(broker) for _ in range(4)]:
        operator = scenario.operator()
        team.add(scenario.site_id, operator.operator_id)
        tokens.append(await register_device(second, operator))
        await scenario.accept(operator)
        # Another conversation than the first one's, whose delivery the killed replica may be about to complete.
        later_conversations.append(scenario.other_conversation())
        await later_conversations[-1].accept(operator)
        await scenario.send_message("shared")
    for token in tokens:
        await wait_until(partial(_has_pushes, fcm, token, ["shared"]), timeout=15)
    await first.stop(signal.SIGKILL)
    for scenario in later_conversations:
        await scenario.send_message("taken over")
    for token in tokens:
        await wait_until(partial(_has_pushes, fcm, token, ["shared", "taken over"]), timeout=20)
    await wait_until(partial(_plans, second, PARTITIONS), timeout=15)
    assert [_push_bodies(fcm, token) for token in tokens] == [["shared", "taken over"]] * 4, "none twice"


async def test_a_partition_is_planned_by_the_replica_that_reads_it_for_a_stream(
    start_replica: StartReplica, fcm: FcmServer, broker: BrokerConnection
) -> None:
    """Otherwise two replicas read it."""
    replicas = [await start_replica(**fcm.notify_settings) for _ in range(2)]
    for replica in replicas:
        await wait_until(partial(_plans, replica, PARTITIONS // 2), timeout=15)
    scenarios = [Scenario(broker) for _ in range(PARTITIONS)]
    async with AsyncStreams(replicas[0], scenarios):
        await wait_until(partial(_plans, replicas[0], PARTITIONS), timeout=15)
        await wait_until(partial(_plans, replicas[1], 0), timeout=15)
        assert [await _plans(replicas[0], PARTITIONS), await _plans(replicas[1], 0)] == [True, True]


@pytest.fixture(scope="module")
async def own_server(
    tmp_path_factory: pytest.TempPathFactory, team: FakeTeam
) -> AsyncIterator[tuple[RabbitServer, BrokerConnection]]:
    """A broker that tests may kill, with a log without records at first; and a connection that acts as chat."""
    server = RabbitServer(tmp_path_factory.mktemp("partitions") / "rabbitmq")
    await server.start()
    try:
        async with connect_as_chat(server.uri, team) as broker:
            yield server, broker
    finally:
        await server.stop()


async def test_an_empty_partition_does_not_stop_reading_while_the_broker_accepts_no_events(
    own_server: tuple[RabbitServer, BrokerConnection],
) -> None:
    """T19: a record is appended on the connection that publishes; the broker blocks that one alone."""
    server, broker = own_server
    scenario = Scenario(broker)
    await scenario.send_message("before")
    async with run_event_log(server.uri) as event_log:
        filled = event_log.get_partition(scenario.tenant_id)
        empty = (filled + 1) % PARTITIONS
        await server.control("rabbitmqctl", "set_vm_memory_high_watermark", "absolute", "1")
        with event_log.follow_for_stream(empty) as waiting:
            with pytest.raises(TimeoutError):
                await waiting.wait_caught_up(2)
            with event_log.follow_for_stream(filled) as tailer:
                await tailer.wait_caught_up(5)
            await server.control("rabbitmqctl", "set_vm_memory_high_watermark", "absolute", "1GB")
            await waiting.wait_caught_up(20)


async def test_a_replica_that_starts_after_the_broker_lost_its_disk_follows_the_new_log(
    start_replica: StartReplica, team: FakeTeam, fcm: FcmServer, own_server: tuple[RabbitServer, BrokerConnection]
) -> None:
    """T2: no replica ran meanwhile, and the new log is longer: the old cursor and the old positions exist in it too."""
    server, broker = own_server
    scenario = Scenario(broker)
    operator = scenario.operator()
    team.add(scenario.site_id, operator.operator_id)
    settings = {"broker": server.uri, "push_delay_seconds": 0.2, **fcm.notify_settings}
    replica = await start_replica(**settings)
    token = await register_device(replica, operator)
    viewer = scenario.operator()
    await scenario.accept(operator)
    async with replica.stream(viewer) as stream:
        await scenario.send_message("before")
        await wait_for_message(stream, "before")
        last_event_id = stream.of_type("message.created")[-1].id
    await wait_until(partial(_has_pushes, fcm, token, ["before"]), timeout=15)
    await replica.stop(signal.SIGKILL)
    await _lose_disk(server, broker)
    other = scenario.other_conversation()
    await other.accept(operator)
    await other.send_message("first of the new log")
    for number in range(10):
        await scenario.add_note(f"later {number}")

    replica = await start_replica(**settings)
    await wait_until(partial(_has_pushes, fcm, token, ["before", "first of the new log"]), timeout=15)
    async with replica.stream(viewer, last_event_id) as stream:
        await stream.wait_for("reset")
        assert not stream.of_type("message.created"), "what was missed is fetched, not guessed"


async def test_pushes_continue_after_the_broker_has_lost_its_disk(
    start_replica: StartReplica, team: FakeTeam, fcm: FcmServer, own_server: tuple[RabbitServer, BrokerConnection]
) -> None:
    """Positions of the new log are lower than the cursor."""
    server, broker = own_server
    replica = await start_replica(broker=server.uri, push_delay_seconds=0.2, **fcm.notify_settings)
    scenario = Scenario(broker)
    operator = scenario.operator()
    team.add(scenario.site_id, operator.operator_id, "en")
    token = await register_device(replica, operator)
    await scenario.accept(operator)
    for number in range(10):
        await scenario.send_message(f"before {number}")
    await wait_until(lambda: _last_push_body(fcm, token) == "before 9", timeout=15)
    await _lose_disk(server, broker)
    await scenario.send_message("after")
    await wait_until(lambda: _last_push_body(fcm, token) == "after", timeout=30)


async def _lose_disk(server: RabbitServer, broker: BrokerConnection) -> None:
    await server.kill()
    shutil.rmtree(server.directory / "mnesia")
    await server.start()
    await wait_until(lambda: broker.unready_reason() is None, timeout=30)


def _last_push_body(fcm: FcmServer, token: str) -> str | None:
    pushes = fcm.pushes_for(token)
    return pushes[-1].message["notification"]["body"] if pushes else None


class AsyncStreams:
    """A stream of an operator in each of the scenarios, for as long as it is entered."""

    def __init__(self, replica: NotifyReplica, scenarios: list[Scenario]) -> None:
        self._streams = [replica.stream(scenario.operator()) for scenario in scenarios]

    async def __aenter__(self) -> None:
        for stream in self._streams:
            await stream.__aenter__()

    async def __aexit__(self, *exc: object) -> None:
        for stream in self._streams:
            await stream.__aexit__(None, None, None)


async def _follows(replica: NotifyReplica, partitions: int) -> bool:
    return await replica.metric("parley_notify_partitions_followed") == partitions


async def _plans(replica: NotifyReplica, partitions: int) -> bool:
    return await replica.metric("parley_notify_push_partitions") == partitions


def _has_pushes(fcm: FcmServer, token: str, bodies: list[str]) -> bool:
    return _push_bodies(fcm, token) == bodies


def _push_bodies(fcm: FcmServer, token: str) -> list[str]:
    return [push.message["notification"]["body"] for push in fcm.pushes_for(token)]
