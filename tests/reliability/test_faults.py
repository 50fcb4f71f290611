"""T1–T4 and T17: services, broker and database killed under load; nothing acknowledged is lost, nothing doubled."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley_dev.stack import SERVICES
from reliability.conftest import Proof
from support.load import LoadGenerator
from support.tenants import TenantFixture
from support.wait import wait_until

pytestmark = pytest.mark.timeout(600)


@asynccontextmanager
async def under_load(tenant: TenantFixture, conversations: int = 4) -> AsyncIterator[LoadGenerator]:
    load = LoadGenerator(tenant)
    try:
        await load.start(conversations)
        await load.wait_acknowledged(10)
        yield load
    finally:
        await load.close()


async def settle(load: LoadGenerator, *, streams: bool = True) -> str:
    """Stop writing, compare, and say the figures."""
    await load.stop()
    kept = await load.check()
    seen = await load.check_streams(within=60) if streams else {}
    return (
        f"{kept['acknowledged']} acknowledged, 0 lost, 0 doubled; streams saw all, {seen.get('connects', 0)} connects"
    )


async def test_t1_services_killed_at_random_lose_nothing(proof: Proof, tenant: TenantFixture) -> None:
    chance = random.Random(1)
    kills = 0
    async with under_load(tenant) as load:
        end = time.monotonic() + proof.seconds(8, 60)
        while time.monotonic() < end:
            service, index = chance.choice(SERVICES), chance.randrange(2)
            await proof.stack.kill(service, index)
            kills += 1
            await load.wait_acknowledged(5, what=f"{service} killed")
            await proof.stack.restart(service, index)
        figure = await settle(load)
        back = max(one.seconds for one in load.acknowledged)
    proof.say("T1", f"{kills} kills: {figure}; slowest acknowledged write {back:.1f} s")


async def test_t2_the_broker_restarted_and_killed_loses_nothing(proof: Proof, tenant: TenantFixture) -> None:
    async with under_load(tenant) as load:
        for harshly in (False, True):
            # A queue declared less than a second before a kill is not on the disk yet; these are older.
            if harshly:
                await proof.rabbit.kill()
            else:
                await proof.rabbit.stop()
            await load.wait_acknowledged(10, what="writes without a broker")
            await proof.rabbit.start()
            started = time.monotonic()
            await proof.stack.wait_ready()
            back = time.monotonic() - started
            assert back < 30
        figure = await settle(load)
    proof.say("T2", f"restart and kill: {figure}; ready {back:.1f} s after the broker")


async def test_t2_a_broker_that_lost_its_disk_costs_a_reset_and_no_message(proof: Proof, tenant: TenantFixture) -> None:
    async with under_load(tenant) as load:
        readers = (load.panel, *load.widgets)
        await proof.rabbit.kill()
        shutil.rmtree(proof.rabbit.directory / "mnesia")
        await load.wait_acknowledged(10, what="writes without a broker")
        await proof.rabbit.start()
        started = time.monotonic()
        await proof.stack.wait_ready()
        await wait_until(
            lambda: all(reader.resets for reader in readers), timeout=30, description="every stream to be reset"
        )
        back = time.monotonic() - started
        after = len(load.acknowledged)
        await load.wait_acknowledged(20)
        await load.stop()
        kept = await load.check()
        # The log is another one, and it is followed: what was said since is seen, in place.
        since = {one.message_id for one in load.acknowledged[after:]}
        await wait_until(lambda: since <= set(load.panel.messages()), timeout=30, description="new messages to be seen")
    proof.say(
        "T2",
        f"broker's disk lost: {kept['acknowledged']} acknowledged, 0 lost, 0 doubled; "
        f"every stream reset {back:.1f} s after it was back",
    )


async def test_t3_the_database_stepped_down_and_killed_loses_nothing(proof: Proof, tenant: TenantFixture) -> None:
    async with under_load(tenant) as load:
        async with AsyncMongoClient[dict[str, Any]](proof.mongo.uri) as client:
            await client.admin.command({"replSetStepDown": 2, "force": True})
        stepped = await load.wait_acknowledged(10, what="writes after the step-down")
        await proof.mongo.kill()
        await asyncio.gather(*(world_answers(tenant) for _ in range(3)))
        await proof.mongo.start()
        killed = await load.wait_acknowledged(10, what="writes after the kill")
        await proof.stack.wait_ready()
        figure = await settle(load)
    proof.say("T3", f"step-down and kill: {figure}; writing again after {stepped:.1f} s and {killed:.1f} s")


async def world_answers(tenant: TenantFixture) -> None:
    """T4: without its database a service says so, in the envelope, and soon."""
    started = time.monotonic()
    reply = await tenant.alex.get("/operator/all-chat-counts")
    assert reply.status == 503, reply.raw
    assert reply.body["code"] == "unavailable"
    assert time.monotonic() - started < 10


async def test_t17_a_rolling_restart_fails_no_write(proof: Proof, tenant: TenantFixture) -> None:
    async with under_load(tenant) as load:
        replicas = proof.times(1, 2)
        for service in SERVICES:
            for index in range(replicas):
                await proof.stack.restart(service, index)
                await load.wait_acknowledged(3)
        figure = await settle(load)
        refused = {status: count for status, count in load.rejected.items() if status >= 400}
    assert not refused, f"refused in a rolling restart: {refused}"
    proof.say("T17", f"{replicas} of each service restarted one by one: {figure}; no write refused")
