"""T23: waiting conversations are assigned exactly once and within capacities while replicas of chat are killed."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from parley_dev.stack import Stack
from reliability.conftest import ReliabilityCluster, repetitions, report
from support.api import OperatorClient
from support.tenants import TenantFixture
from support.wait import wait_until

pytestmark = pytest.mark.timeout(300)

_CAPACITY = 2
_UNAVAILABLE = 500
_ASKING_SECONDS = 90
"""A reply whose replica is killed goes on when its lease of 20 s is over, perhaps at a replica that is killed next."""


async def _retry_post(operator: OperatorClient, path: str, body: Any = None) -> int:
    """Send a request until a replica answers it; return the status."""

    async def answered() -> int:
        try:
            status = (await operator.post(path, body)).status
        except (aiohttp.ClientError, TimeoutError):
            return 0
        return status if status < _UNAVAILABLE else 0

    status: int = await wait_until(answered, timeout=30, description=path)
    return status


async def _ask_for_person(tenant: TenantFixture) -> int:
    visitor = tenant.new_visitor()

    async def waits() -> int:
        try:
            reply = await visitor.send_message("Is anybody there?", message_id="first")
            handoff = await visitor.post("/handoff")
        except (aiohttp.ClientError, TimeoutError, AssertionError):
            return 0
        return int(reply["conversation_id"]) if handoff.status == 200 else 0

    conversation_id: int = await wait_until(waits, timeout=_ASKING_SECONDS, description="a visitor waits")
    return conversation_id


class Shift:
    """Operators who come and go, answer what they are assigned, and close it."""

    def __init__(self, tenant: TenantFixture, operators: list[OperatorClient]) -> None:
        self.tenant, self.operators = tenant, operators
        self.open: Counter[int] = Counter()
        self.closed: set[int] = set()
        self.at_work = {operator.id for operator in operators}
        self._rng = random.Random(23)

    async def come_and_go(self) -> None:
        while True:
            operator = self._rng.choice(self.operators)
            self.at_work ^= {operator.id}
            await self._tell(operator)
            await asyncio.sleep(0.2)

    async def stay(self) -> None:
        """Send the heartbeats of those who are at work."""
        while True:
            await asyncio.gather(*(self._tell(operator) for operator in self.operators))
            await asyncio.sleep(0.5)

    async def _tell(self, operator: OperatorClient) -> None:
        online = operator.id in self.at_work
        site_id = self.tenant.site_id
        await _retry_post(operator, "/operator/set-status", {"site_id": site_id, "online": online})
        if online:
            await _retry_post(operator, "/operator/heartbeat", {"site_ids": [site_id]})

    async def answer(self) -> None:
        """Close what is assigned, one conversation of an operator at a time, and watch how many each of them has."""
        by_id = {operator.id: operator for operator in self.operators}
        while True:
            reply = await self._list_active()
            held: dict[int, list[int]] = {}
            for row in reply:
                held.setdefault(row["operator"]["id"], []).append(row["id"])
            for operator_id, conversation_ids in held.items():
                self.open[operator_id] = max(self.open[operator_id], len(conversation_ids))
                first = conversation_ids[0]
                if await _retry_post(by_id[operator_id], f"/operator/close/{first}") == 200:
                    self.closed.add(first)
            await asyncio.sleep(0.1)

    async def _list_active(self) -> list[dict[str, Any]]:
        try:
            reply = await self.tenant.owner.get("/operator/all-active-chats", status="active", limit=100)
        except (aiohttp.ClientError, TimeoutError):
            return []
        chats: list[dict[str, Any]] = reply.body["chats"] if reply.status == 200 else []
        return chats


async def _kill_replicas(stack: Stack, times: int) -> None:
    rng = random.Random(7)
    for _ in range(times):
        index = rng.randrange(2)
        await stack.kill("chat", index)
        await stack.restart("chat", index)


def _most_at_once(histories: Mapping[int, list[dict[str, Any]]]) -> Counter[int]:
    """How many conversations each operator had at once, by the times of assignments and ends."""
    changes: list[tuple[str, int, int]] = []
    for history in histories.values():
        holder: int | None = None
        for entry in history:
            if holder is not None:
                changes.append((entry["at"], -1, holder))
                holder = None
            if entry["action"] == "assigned":
                holder = entry["to"]["id"]
                changes.append((entry["at"], 1, holder))
    current: Counter[int] = Counter()
    most: Counter[int] = Counter()
    # Of one millisecond, the end first: room that comes free is used at once.
    for _, step, operator_id in sorted(changes):
        current[operator_id] += step
        most[operator_id] = max(most[operator_id], current[operator_id])
    return most


async def test_t23_assignment_has_one_winner_keeps_to_capacities_and_forgets_nobody(
    cluster: ReliabilityCluster, tenant: TenantFixture
) -> None:
    """T23: no conversation gets two operators, none is forgotten, no operator gets more than their capacity."""
    routing = {"routing": "round_robin", "capacity": _CAPACITY}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/routing", routing)).ok()
    operators = [tenant.alex, tenant.sam, await tenant.add_operator("Kim")]
    visitors, kills = repetitions(12, 200), repetitions(2, 20)
    shift = Shift(tenant, operators)
    started = time.monotonic()
    tasks = [asyncio.create_task(work) for work in (shift.come_and_go(), shift.stay(), shift.answer())]
    try:
        asking = asyncio.gather(*(_ask_for_person(tenant) for _ in range(visitors)))
        await _kill_replicas(cluster.stack, kills)
        conversation_ids = await asking
        tasks[0].cancel()
        shift.at_work = {operator.id for operator in operators}
        await wait_until(
            lambda: any(task.done() for task in tasks[1:]) or shift.closed >= set(conversation_ids),
            timeout=60,
            description="every conversation was assigned and closed",
        )
        assert shift.closed >= set(conversation_ids)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    histories: dict[int, list[dict[str, Any]]] = {}
    for conversation_id in conversation_ids:
        shown = (await tenant.owner.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        histories[conversation_id] = shown["history"]
        # Nobody accepts by hand, so each way out of the queue is an assignment, and each ends before the next.
        actions = [entry["action"] for entry in shown["history"]]
        assert actions.count("assigned") == 1, actions
        assert actions[-2:] == ["assigned", "closed"], actions
    most = _most_at_once(histories)
    assert max(most.values()) <= _CAPACITY, most
    assert max(shift.open.values()) <= _CAPACITY, shift.open
    took = time.monotonic() - started
    report(
        "T23",
        f"{visitors} waiting, {kills} kills: each assigned once, at most {max(most.values())} at once, {took:.0f} s",
    )
