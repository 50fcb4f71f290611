"""T1 to T4 and T17: services, broker and database killed under load; no acknowledged message is lost or duplicated."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from pymongo import AsyncMongoClient

from parley_dev.stack import SERVICES, Stack
from reliability.conftest import FULL, ReliabilityCluster, duration, repetitions, report
from support.load import LoadGenerator
from support.tenants import TenantFixture
from support.wait import wait_until

pytestmark = pytest.mark.timeout(600)


@asynccontextmanager
async def under_load(tenant: TenantFixture, conversations: int = 4) -> AsyncIterator[LoadGenerator]:
    load = LoadGenerator(tenant)
    if FULL:
        load.pause = 0.0
    try:
        await load.start(conversations)
        await load.wait_acknowledged(10)
        yield load
    finally:
        await load.close()


async def stop_and_check(load: LoadGenerator, *, streams: bool = True) -> str:
    """Stop writing, compare sent with stored and received messages, and format the result."""
    await load.stop()
    stored = await load.check()
    received = await load.check_streams(timeout=60) if streams else {}
    acknowledged, connects = stored["acknowledged"], received.get("connects", 0)
    return f"{acknowledged} acknowledged, 0 lost, 0 duplicates; streams complete after {connects} connects"


async def test_t1_killing_random_services_loses_nothing(cluster: ReliabilityCluster, tenant: TenantFixture) -> None:
    """T1: services killed at random under load lose and duplicate no acknowledged message."""
    rng = random.Random(1)
    kills = 0
    async with under_load(tenant) as load:
        end = time.monotonic() + duration(8, 60)
        while time.monotonic() < end:
            service, index = rng.choice(SERVICES), rng.randrange(2)
            await cluster.stack.kill(service, index)
            kills += 1
            await load.wait_acknowledged(5, description=f"{service} killed")
            await cluster.stack.restart(service, index)
        figure = await stop_and_check(load)
        back = max(one.seconds for one in load.acknowledged)
    report("T1", f"{kills} kills: {figure}; slowest acknowledged write {back:.1f} s")


async def test_t2_restarting_and_killing_the_broker_loses_nothing(
    cluster: ReliabilityCluster, tenant: TenantFixture
) -> None:
    """T2: writes succeed and services are ready while the broker is down; consumers return within 30 seconds."""
    async with under_load(tenant) as load:
        for kill in (False, True):
            # A queue declared less than a second before a kill is not on the disk yet; these are older.
            if kill:
                await cluster.rabbit.kill()
            else:
                await cluster.rabbit.stop()
            await load.wait_acknowledged(10, description="writes without a broker")
            await wait_until(lambda: degraded_replicas(cluster.stack), description="every replica to be degraded")
            await cluster.rabbit.start()
            started = time.monotonic()
            await cluster.stack.wait_ready()
            back = time.monotonic() - started
            assert back < 30
        figure = await stop_and_check(load)
        rejected = {status: count for status, count in load.rejected.items() if status >= 400}
    assert not rejected, f"rejected without a broker: {rejected}"
    report("T2", f"restart and kill: {figure}; ready {back:.1f} s after the broker")


async def degraded_replicas(stack: Stack) -> bool:
    """Whether every replica has noticed that the broker is away. Fails if one is not ready."""
    readiness = []
    async with aiohttp.ClientSession() as http:
        for replica in stack.all_processes():
            async with http.get(f"{replica.internal_url}/readyz?verbose") as response:
                assert response.status == 200, f"{replica.name}: {await response.text()}"
                readiness.append(await response.json())
    return all("rabbitmq" in one["degraded"] for one in readiness)


async def test_t2_a_broker_that_lost_its_data_resets_streams_and_loses_no_message(
    cluster: ReliabilityCluster, tenant: TenantFixture
) -> None:
    """T2: when the broker loses its data, every stream gets `reset` and no acknowledged message is lost."""
    async with under_load(tenant) as load:
        readers = (load.panel, *load.widgets)
        await cluster.rabbit.kill()
        shutil.rmtree(cluster.rabbit.directory / "mnesia")
        await load.wait_acknowledged(10, description="writes without a broker")
        await cluster.rabbit.start()
        started = time.monotonic()
        await cluster.stack.wait_ready()
        await wait_until(
            lambda: all(reader.resets for reader in readers), timeout=30, description="every stream to be reset"
        )
        back = time.monotonic() - started
        after = len(load.acknowledged)
        await load.wait_acknowledged(20)
        await load.stop()
        stored = await load.check()
        # The streams continue with the new event log: messages sent since then are received in order.
        since = {one.message_id for one in load.acknowledged[after:]}
        await wait_until(
            lambda: since <= set(load.panel.messages()), timeout=30, description="new messages to be received"
        )
    report(
        "T2",
        f"broker's data lost: {stored['acknowledged']} acknowledged, 0 lost, 0 duplicates; "
        f"every stream reset {back:.1f} s after it was back",
    )


async def test_t3_stepping_down_and_killing_the_database_loses_nothing(
    cluster: ReliabilityCluster, tenant: TenantFixture
) -> None:
    """T3: a step-down and a kill of the MongoDB primary lose nothing; T4: meanwhile requests answer 503."""
    async with under_load(tenant) as load:
        async with AsyncMongoClient[dict[str, Any]](cluster.mongo.uri) as client:
            await client.admin.command({"replSetStepDown": 2, "force": True})
        stepped = await load.wait_acknowledged(10, description="writes after the step-down")
        await cluster.mongo.kill()
        await asyncio.gather(*(assert_unavailable(tenant) for _ in range(3)))
        await cluster.mongo.start()
        killed = await load.wait_acknowledged(10, description="writes after the kill")
        await cluster.stack.wait_ready()
        figure = await stop_and_check(load)
    report("T3", f"step-down and kill: {figure}; writes resumed after {stepped:.1f} s and {killed:.1f} s")


async def assert_unavailable(tenant: TenantFixture) -> None:
    """T4: without its database a service answers 503 with an error body, within 10 seconds."""
    started = time.monotonic()
    reply = await tenant.alex.get("/operator/all-chat-counts")
    assert reply.status == 503, reply.raw
    assert reply.body["code"] == "unavailable"
    assert time.monotonic() - started < 10


async def test_t17_a_rolling_restart_fails_no_write(cluster: ReliabilityCluster, tenant: TenantFixture) -> None:
    """T17: a rolling restart of every service fails no write and loses no event."""
    async with under_load(tenant) as load:
        replicas = repetitions(1, 2)
        for service in SERVICES:
            for index in range(replicas):
                await cluster.stack.restart(service, index)
                await load.wait_acknowledged(3)
        figure = await stop_and_check(load)
        rejected = {status: count for status, count in load.rejected.items() if status >= 400}
    assert not rejected, f"rejected during the rolling restart: {rejected}"
    report("T17", f"{replicas} of each service restarted one by one: {figure}; no write rejected")
