"""Half load for as long as one likes, with kills and broker restarts: nothing lost, memory flat. `make soak`.

The second replica of a service is killed again and again; the first lives from the beginning to the end, so that its
memory tells something. In the test suite this lasts seconds, and says nothing of memory.
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
from reliability.conftest import Proof
from reliability.test_faults import settle, under_load
from support.load import LoadGenerator
from support.tenants import TenantFixture

SECONDS = 60 * float(os.environ.get("PARLEY_SOAK_MINUTES", "0")) or 10.0
CONVERSATIONS = 20
BETWEEN_FAULTS = min(20.0, SECONDS / 4)
BROKER_EVERY = 8
"""Faults, of which one is the broker's."""
LONG_ENOUGH = 20 * 60.0
"""Seconds from which on memory is judged: the window of live events alone fills for minutes."""
MOST_GROWTH = 1.10
NOISE = 4 * 2**20

MEGABYTE = 2**20

pytestmark = pytest.mark.timeout(SECONDS * 2 + 300)


@dataclass(slots=True)
class Memory:
    """Resident bytes of each service's first replica, sampled."""

    proof: Proof
    samples: dict[str, list[int]] = field(default_factory=lambda: {service: [] for service in SERVICES})

    def sample(self) -> None:
        for service, seen in self.samples.items():
            process = self.proof.stack.processes(service)[0].process
            assert process.running, f"{service} ended by itself: {process.tail_log()}"
            seen.append(psutil.Process(process.pid).memory_info().rss)

    def quarters(self, service: str) -> tuple[float, float]:
        """The medians of the second and of the last quarter: in the first, caches fill."""
        seen = self.samples[service]
        quarter = max(1, len(seen) // 4)
        return statistics.median(seen[quarter : 2 * quarter] or seen), statistics.median(seen[-quarter:])


async def test_half_load_with_faults_loses_nothing_and_keeps_its_memory(proof: Proof, tenant: TenantFixture) -> None:
    memory = Memory(proof)
    async with under_load(tenant, CONVERSATIONS) as load:
        full = await _slowed_to_half(load)
        began, before = time.monotonic(), len(load.acknowledged)
        faults = await _faults(proof, load, memory, began + SECONDS)
        rate = (len(load.acknowledged) - before) / (time.monotonic() - began)
        figure = await settle(load)
    proof.say("soak", f"{SECONDS / 60:.1f} min, {rate:.0f} of at most {full:.0f} writes/s, {faults} faults: {figure}")
    grown = []
    for service in SERVICES:
        early, late = memory.quarters(service)
        proof.say(
            "soak", f"{service}: {early / MEGABYTE:.0f} MB in the second quarter, {late / MEGABYTE:.0f} at the end"
        )
        if late > early * MOST_GROWTH + NOISE:
            grown.append(service)
    assert not grown or SECONDS < LONG_ENOUGH, f"memory grew: {grown}"


async def _slowed_to_half(load: LoadGenerator) -> float:
    """Let the writers rest for as long as a message takes them. The rate before, in messages a second."""
    began, before = time.monotonic(), len(load.acknowledged)
    await asyncio.sleep(min(15.0, SECONDS / 5))
    full = (len(load.acknowledged) - before) / (time.monotonic() - began)
    load.pause = 2 * CONVERSATIONS / full
    return full


async def _faults(proof: Proof, load: LoadGenerator, memory: Memory, end: float) -> int:
    chance, faults = random.Random(8), 0
    while time.monotonic() + BETWEEN_FAULTS < end:
        memory.sample()
        await asyncio.sleep(BETWEEN_FAULTS)
        memory.sample()
        faults += 1
        if faults % BROKER_EVERY == 0:
            await proof.rabbit.restart()
            await proof.stack.wait_ready()
        else:
            service = chance.choice(SERVICES)
            await proof.stack.kill(service, 1)
            await load.wait_acknowledged(5, what=f"{service} killed")
            await proof.stack.restart(service, 1)
    memory.sample()
    return faults
