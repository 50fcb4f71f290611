"""T2: a RabbitMQ cluster of three nodes loses any one of them; its queues have members on all nodes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from parley.common.errors import Unavailable
from parley.common.events import Event, new_event
from parley.common.events.conversations import VisitorErased
from parley.common.messaging import BrokerConnection, Consumer, RpcClient, RpcServer
from parley_dev.servers import MongoServer, RabbitServer
from parley_dev.servers.rabbitmq_cluster import RabbitCluster
from parley_dev.stack import Stack
from reliability.conftest import ENVIRONMENT, FULL, report
from support.api import ApiClient
from support.load import LoadGenerator
from support.manifests import KUBERNETES
from support.tcp_proxy import TcpProxy
from support.tenants import TenantFixture
from support.wait import wait_until

pytestmark = pytest.mark.timeout(600)

_SCRIPT = KUBERNETES / "components" / "in-cluster-backends" / "grow-queues.sh"


@asynccontextmanager
async def load_balancer(cluster: RabbitCluster) -> AsyncIterator[str]:
    """Provide the URL of a proxy that connects to the first node that runs, as a Kubernetes Service does."""
    proxy = TcpProxy("127.0.0.1", *(node.port for node in cluster.nodes))
    await proxy.start()
    try:
        yield cluster.nodes[0].uri.replace(f":{cluster.nodes[0].port}", f":{proxy.port}")
    finally:
        await proxy.stop()


async def grow_queues(node: RabbitServer) -> str:
    """Run the script of the manifests in a node's environment. Fails if a queue lacks members afterwards."""
    return await node.control(str(_SCRIPT))


async def member_counts(node: RabbitServer) -> dict[str, int]:
    """Return the number of members of each queue that has any."""
    table = await node.control("rabbitmqctl", "-q", "list_queues", "--no-table-headers", "name", "members")
    rows = [line.split("\t") for line in table.splitlines()]
    return {row[0]: len(row[1].split(",")) for row in rows if len(row) == 2 and row[1].startswith("[")}


@pytest.mark.skipif(not FULL, reason="RabbitMQ takes most of a minute to complete a cluster: in the full form")
async def test_t2_queues_declared_before_the_cluster_was_complete_survive_the_loss_of_their_node(
    tmp_path: Path,
) -> None:
    """T2: queues and the event log grow to all nodes; killing their first node loses no event and no question."""
    cluster = RabbitCluster(tmp_path)
    first = await cluster.start_first()
    received: list[str] = []

    async def receive(event: Event) -> None:
        received.append(event.data["session_id"])

    async def double(body: dict[str, Any]) -> dict[str, Any]:
        return {"result": body["number"] * 2}

    try:
        async with load_balancer(cluster) as url:
            broker, double_number = BrokerConnection(url, log_partitions=2), RpcClient("test")
            for session in (Consumer("test", "erased", {"visitor.erased": receive}), double_number):
                broker.add(session)
            broker.add(RpcServer("test", {"double": double}))
            await broker.start()
            try:
                await wait_until(lambda: broker.unready_reason() is None)
                await cluster.start_others()
                names = ("log.0", "log.1", "rpc.test", "test.erased", "test.erased.dead")
                queues = {f"parley.{name}" for name in names}
                alone = await member_counts(first)
                assert {name: alone.get(name) for name in queues} == dict.fromkeys(queues, 1)
                await grow_queues(first)
                grown = await member_counts(first)
                assert {name: grown.get(name) for name in queues} == dict.fromkeys(queues, 3)

                await broker.publish([_event("before")])
                await first.kill()
                started = time.monotonic()
                await _publish_until_confirmed(broker, "after")
                published = time.monotonic() - started
                await wait_until(lambda: broker.unready_reason() is None, timeout=20)
                assert await double_number("double", number=21) == {"result": 42}
                ready = time.monotonic() - started
                await wait_until(lambda: "after" in received, timeout=20)
                assert list(dict.fromkeys(received)) == ["before", "after"]
            finally:
                await broker.stop()
    finally:
        await cluster.stop()
    report("T2", f"first of 3 broker nodes killed: confirmed after {published:.1f} s, all queues after {ready:.1f} s")


async def _publish_until_confirmed(broker: BrokerConnection, name: str) -> None:
    event = _event(name)

    async def publish() -> bool:
        try:
            await broker.publish([event])
        except Unavailable:
            return False
        return True

    await wait_until(publish, timeout=20)


def _event(name: str) -> dict[str, Any]:
    return new_event(VisitorErased(session_id=name), tenant_id=1, site_id=1).to_document()


@pytest.mark.skipif(not FULL, reason="three broker nodes and ten services: in the full form")
async def test_t2_each_of_three_broker_nodes_killed_in_turn_fails_no_request(tmp_path: Path) -> None:
    """T2: with three broker nodes, the loss of any one loses nothing, and no service becomes unready."""
    cluster, mongo = RabbitCluster(tmp_path / "rabbitmq"), MongoServer(tmp_path / "mongodb")
    await asyncio.gather(cluster.start_first(), mongo.start())
    await cluster.start_others()
    try:
        async with load_balancer(cluster) as url:
            stack = Stack(
                mongodb_uri=mongo.uri,
                amqp_url=url,
                directory=tmp_path / "stack",
                replicas=2,
                database_prefix=f"t{secrets.token_hex(4)}",
                env=ENVIRONMENT,
            )
            try:
                await stack.start()
                await stack.wait_ready()
                await grow_queues(cluster.nodes[0])
                async with ApiClient(stack.gateway_url) as api:
                    await _kill_nodes_under_load(cluster, stack, await TenantFixture.create(api, stack, mongo.uri))
            finally:
                await stack.stop()
    finally:
        await asyncio.gather(cluster.stop(), mongo.stop())


async def _kill_nodes_under_load(cluster: RabbitCluster, stack: Stack, tenant: TenantFixture) -> None:
    load = LoadGenerator(tenant)
    try:
        await load.start(4)
        await load.wait_acknowledged(10)
        for node in cluster.nodes:
            await node.kill()
            for _ in range(20):
                await _assert_ready(stack)
                await load.wait_acknowledged(2, description="writes without a node")
            await node.start()
            await stack.wait_ready()
        await load.stop()
        stored = await load.check()
        await load.check_streams(timeout=60)
        rejected = {status: count for status, count in load.rejected.items() if status >= 400}
        assert not rejected
        slowest = max(one.seconds for one in load.acknowledged)
        assert slowest < 2
    finally:
        await load.close()
    report(
        "T2", f"3 broker nodes killed in turn: {stored['acknowledged']} acknowledged, 0 lost; slowest {slowest:.1f} s"
    )


async def _assert_ready(stack: Stack) -> None:
    async with aiohttp.ClientSession() as http:
        for replica in stack.all_processes():
            async with http.get(f"{replica.internal_url}/readyz") as response:
                assert response.status == 200, f"{replica.name}: {await response.text()}"
