"""`make soak`: half load for a long time with kills and broker restarts. Nothing is lost and memory stays flat.

Only the second replica of each service is killed; the first one runs from start to end, so that its memory can be
judged. In the test suite the run lasts seconds, and memory is not judged.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from dataclasses import dataclass, field

import psutil
import pytest

from parley_dev.stack import SERVICES
from reliability.conftest import ReliabilityCluster, report
from reliability.test_faults import stop_and_check, under_load
from support.load import LoadGenerator
from support.tenants import TenantFixture

SECONDS = 60 * float(os.environ.get("PARLEY_SOAK_MINUTES", "0")) or 6.0
CONVERSATIONS = 20 if SECONDS >= 60 else 5
BETWEEN_FAULTS = min(20.0, SECONDS / 4)
BROKER_EVERY = 8
"""One in this many faults is a broker restart."""
MIN_SECONDS_FOR_MEMORY = 20 * 60.0
"""Memory is judged in runs of at least this length: the replay buffer alone takes minutes to fill."""
MAX_GROWTH = 1.10
NOISE_BYTES = 4 * 2**20

MEGABYTE = 2**20

pytestmark = pytest.mark.timeout(SECONDS * 2 + 300)


@dataclass(slots=True)
class Memory:
    """Samples of the resident memory of each service's first replica."""

    cluster: ReliabilityCluster
    samples: dict[str, list[int]] = field(default_factory=lambda: {service: [] for service in SERVICES})

    def sample(self) -> None:
        for service, samples in self.samples.items():
            process = self.cluster.stack.processes(service)[0].process
            assert process.running, f"{service} ended unexpectedly: {process.tail_log()}"
            samples.append(psutil.Process(process.pid).memory_info().rss)

    def quarters(self, service: str) -> tuple[float, float]:
        """Return the medians of the second and the last quarter; caches fill in the first one."""
        samples = self.samples[service]
        quarter = max(1, len(samples) // 4)
        return statistics.median(samples[quarter : 2 * quarter] or samples), statistics.median(samples[-quarter:])


async def test_half_load_with_faults_loses_nothing_and_memory_stays_flat(
    cluster: ReliabilityCluster, tenant: TenantFixture
) -> None:
    memory = Memory(cluster)
    async with under_load(tenant, CONVERSATIONS) as load:
        full = await _reduce_to_half_load(load)
        began, before = time.monotonic(), len(load.acknowledged)
        faults = await _inject_faults(cluster, load, memory, began + SECONDS)
        rate = (len(load.acknowledged) - before) / (time.monotonic() - began)
        figure = await stop_and_check(load)
    report("soak", f"{SECONDS / 60:.1f} min, {rate:.0f} of at most {full:.0f} writes/s, {faults} faults: {figure}")
    grown = []
    for service in SERVICES:
        early, late = memory.quarters(service)
        report("soak", f"{service}: {early / MEGABYTE:.0f} MB in the second quarter, {late / MEGABYTE:.0f} at the end")
        if late > early * MAX_GROWTH + NOISE_BYTES:
            grown.append(service)
    assert not grown or SECONDS < MIN_SECONDS_FOR_MEMORY, f"memory grew: {grown}"


async def _reduce_to_half_load(load: LoadGenerator) -> float:
    """Set the writers' pause to half the load. Returns the rate before, in messages per second."""
    load.pause = 0.0
    began, before = time.monotonic(), len(load.acknowledged)
    await asyncio.sleep(min(15.0, SECONDS / 5))
    full = (len(load.acknowledged) - before) / (time.monotonic() - began)
    load.pause = 2 * CONVERSATIONS / full
    return full


async def _inject_faults(cluster: ReliabilityCluster, load: LoadGenerator, memory: Memory, end: float) -> int:
    rng, faults = random.Random(8), 0
    while time.monotonic() + BETWEEN_FAULTS < end:
        memory.sample()
        await asyncio.sleep(BETWEEN_FAULTS)
        memory.sample()
        faults += 1
        if faults % BROKER_EVERY == 0:
            await cluster.rabbit.restart()
            await cluster.stack.wait_ready()
        else:
            service = rng.choice(SERVICES)
            await cluster.stack.kill(service, 1)
            await load.wait_acknowledged(5, description=f"{service} killed")
            await cluster.stack.restart(service, 1)
    memory.sample()
    return faults
