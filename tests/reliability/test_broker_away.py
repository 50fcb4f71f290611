"""T19: RabbitMQ is away for minutes: people go on as before, and all events are published soon after its return."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from parley_dev.stack import Stack
from reliability.conftest import FULL, ReliabilityCluster, report
from support.load import LoadGenerator
from support.tenants import TenantFixture

pytestmark = pytest.mark.timeout(600)

_AWAY_SECONDS = 300
_CHECK_INTERVAL_SECONDS = 5
_MAX_DELIVERY_SECONDS = 30


@pytest.mark.skipif(not FULL, reason="the broker is away for five minutes: in the full form")
async def test_t19_the_broker_away_for_five_minutes_fails_no_request_and_delays_events(
    cluster: ReliabilityCluster, tenant: TenantFixture
) -> None:
    """T19: writes, accepts, lists and logins succeed, services stay ready, and every event arrives once, in order."""
    load = LoadGenerator(tenant, pause=0.5)
    try:
        await load.start(2)
        await load.wait_acknowledged(10)
        await cluster.rabbit.stop()
        accepted = await _work_without_a_broker(cluster.stack, tenant, load)
        await load.stop()
        stored = await load.check()
        assert not load.rejected, f"rejected without a broker: {load.rejected}"
        await cluster.rabbit.start()
        started = time.monotonic()
        received = await load.check_streams(timeout=_MAX_DELIVERY_SECONDS)
        delivered = time.monotonic() - started
        await load.check_order()
        await cluster.stack.wait_ready()
    finally:
        await load.close()
    slowest = max(one.seconds for one in load.acknowledged)
    report(
        "T19",
        f"broker away {_AWAY_SECONDS} s: {stored['acknowledged']} writes and {accepted} accepts, 0 failed, slowest"
        f" {slowest:.1f} s; {received['received']} messages delivered in order {delivered:.1f} s after its return",
    )


async def _work_without_a_broker(stack: Stack, tenant: TenantFixture, load: LoadGenerator) -> int:
    """Write, accept and list until the end of the time. Returns the number of accepts."""
    end = time.monotonic() + _AWAY_SECONDS
    accepted = 0
    while time.monotonic() < end:
        await _assert_ready(stack)
        await tenant.assigned_conversation()
        accepted += 1
        (await tenant.alex.get("/operator/active-chats", site_id=tenant.site_id)).ok()
        await tenant.log_in(tenant.api, f"owner@{tenant.name}.test")
        before = len(load.acknowledged)
        await asyncio.sleep(_CHECK_INTERVAL_SECONDS)
        assert len(load.acknowledged) > before, "writes go on"
    return accepted


async def _assert_ready(stack: Stack) -> None:
    async with aiohttp.ClientSession() as http:
        for replica in stack.all_processes():
            async with http.get(f"{replica.internal_url}/readyz") as response:
                assert response.status == 200, f"{replica.name}: {await response.text()}"
