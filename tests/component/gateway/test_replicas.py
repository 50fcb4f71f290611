"""Replicas behind one name: several loopback addresses, and a resolver of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from aiohttp import web

from component.gateway.harness import FakeBackend, FakeService, Gateway, bearer, free_port, token_for
from parley.common.auth.visitor_session import session_handle
from parley.common.conversation_partitions import partitioned_id
from parley.common.errors import BadGateway, Unavailable
from parley.common.observability.logging import start_or_continue_trace
from parley.gateway.upstream.replica_selection import ANYWHERE, Placement
from parley.gateway.upstream.request_head import build_request_head
from parley.gateway.upstream.upstream import Upstream
from support.wait import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 on loopback")

HOSTS = [f"127.0.0.{number}" for number in range(2, 6)]


class Server:
    """One replica: answers with its address, or breaks the connection while `broken`."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.served = 0
        self.broken = False
        self.released = asyncio.Event()
        self.released.set()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.served += 1
        await self.released.wait()
        if self.broken and request.transport is not None:
            request.transport.abort()
        return web.Response(text=self.host)


class FakeResolver:
    """Answers one name with the addresses that a test gives it."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses: Sequence[str] | None = addresses
        self.failures = 0

    async def lookup(self, host: str) -> Sequence[str]:
        assert host == "chat.test"
        if self.addresses is None:
            self.failures += 1
            raise socket.gaierror(socket.EAI_AGAIN, "the resolver is away")
        return self.addresses


@pytest.fixture
async def servers() -> AsyncIterator[list[Server]]:
    port = free_port()
    servers = [Server(host, port) for host in HOSTS]
    for server in servers:
        await server.start()
    yield servers
    for server in servers:
        await server.stop()


@pytest.fixture
def resolver() -> FakeResolver:
    return FakeResolver(HOSTS)


@pytest.fixture
async def upstream(servers: list[Server], resolver: FakeResolver) -> AsyncIterator[Upstream]:
    start_or_continue_trace(None, None)
    upstream = Upstream("chat", [f"http://chat.test:{servers[0].port}"], resolver.lookup)
    await upstream.start()
    yield upstream
    await upstream.stop()


async def send(
    upstream: Upstream, placement: Placement = ANYWHERE, *, method: str = "GET", is_retryable: bool = True
) -> str:
    """Send a request; return the address of the replica that answered."""
    head = build_request_head(method, "/", "identity", [], None if method == "GET" else b"")
    request, _ = await upstream.request(head, 5, is_retryable=is_retryable, placement=placement)
    async with request:
        return (await request.read_all(1000, 5)).decode()


async def test_requests_are_spread_evenly_from_20_a_second_on(upstream: Upstream, servers: list[Server]) -> None:
    """T21: at 20 requests a second each of four replicas behind one name gets its share, within a fifth."""
    for _ in range(40):
        await send(upstream)
        await asyncio.sleep(0.05)
    assert all(abs(server.served - 10) <= 2 for server in servers), [server.served for server in servers]


async def test_many_requests_at_once_are_spread_evenly(upstream: Upstream, servers: list[Server]) -> None:
    answered: Counter[str] = Counter()
    for _ in range(10):
        answered.update(await asyncio.gather(*(send(upstream) for _ in range(40))))
    assert all(abs(answered[server.host] - 100) <= 20 for server in servers), answered


async def test_a_busy_replica_gets_less(upstream: Upstream, servers: list[Server]) -> None:
    servers[0].released.clear()
    held = [asyncio.create_task(send(upstream)) for _ in range(8)]
    await wait_until(lambda: servers[0].served == 2)
    for _ in range(30):
        assert await send(upstream) != servers[0].host
    servers[0].released.set()
    await asyncio.gather(*held)


async def test_a_partition_stays_with_one_replica_and_moves_when_that_one_goes(
    upstream: Upstream, servers: list[Server]
) -> None:
    """T21: requests of a partition go to one replica, and to the next one while that takes no connection."""
    placement = Placement(17)
    (home,) = {await send(upstream, placement) for _ in range(20)}
    server = next(server for server in servers if server.host == home)
    await server.stop()
    (substitute,) = {await send(upstream, placement) for _ in range(20)}
    assert substitute != home
    await server.start()

    async def is_home_again() -> bool:
        return await send(upstream, placement) == home

    await wait_until(is_home_again, timeout=5)


async def test_partitions_are_spread_evenly(upstream: Upstream, servers: list[Server]) -> None:
    answered = Counter([await send(upstream, Placement(partition)) for partition in range(64)])
    assert [answered[server.host] for server in servers] == [16, 16, 16, 16]


async def test_a_refused_connection_fails_no_request(upstream: Upstream, servers: list[Server]) -> None:
    """T21: a replica that is gone costs no request, not even a POST: nothing was sent to it."""
    await send(upstream)
    await servers[1].stop()
    answered = [await send(upstream, method="POST", is_retryable=False) for _ in range(20)]
    assert servers[1].host not in answered
    assert len(set(answered)) == 3


async def test_a_broken_connection_is_retried_at_another_replica_if_that_is_safe(
    upstream: Upstream, servers: list[Server]
) -> None:
    """T21: a request that may be repeated is sent to another replica when the connection breaks."""
    home = await send(upstream, Placement(5))
    broken = next(server for server in servers if server.host == home)
    broken.broken = True
    assert await send(upstream, Placement(5)) != home
    served = sum(server.served for server in servers)
    with pytest.raises(BadGateway):
        await send(upstream, Placement(5), method="POST", is_retryable=False)
    assert sum(server.served for server in servers) == served + 1, "not sent twice"


async def test_a_replica_that_comes_is_used_within_5_seconds(
    upstream: Upstream, servers: list[Server], resolver: FakeResolver
) -> None:
    """T21: a new address behind the name is used within 5 s, and one that went is not used any more."""
    resolver.addresses = HOSTS[:2]
    started_at = time.monotonic()
    await wait_until(lambda: _served_only(upstream, HOSTS[:2]), timeout=5)
    resolver.addresses = HOSTS
    await wait_until(lambda: _served_only(upstream, HOSTS), timeout=5)
    assert time.monotonic() - started_at < 10


async def _served_only(upstream: Upstream, hosts: Sequence[str]) -> bool:
    return {await send(upstream) for _ in range(12)} == set(hosts)


async def test_replicas_stay_known_while_the_resolver_is_away(
    upstream: Upstream, servers: list[Server], resolver: FakeResolver
) -> None:
    await send(upstream)
    resolver.addresses = None
    await servers[0].stop()  # Each failure asks for another lookup.

    async def has_failed_again() -> bool:
        assert await send(upstream) != servers[0].host
        return resolver.failures >= 2

    await wait_until(has_failed_again, timeout=20, description="a second lookup fails")
    assert {await send(upstream) for _ in range(12)} == {server.host for server in servers[1:]}


async def test_without_any_replica_requests_are_unavailable_until_there_is_one(resolver: FakeResolver) -> None:
    start_or_continue_trace(None, None)
    server = Server(HOSTS[0], free_port())
    resolver.addresses = None
    upstream = Upstream("chat", [f"http://chat.test:{server.port}"], resolver.lookup)
    with pytest.raises(Unavailable):
        await send(upstream)
    await server.start()
    resolver.addresses = [server.host]
    assert await send(upstream) == server.host
    await server.stop()
    await upstream.stop()


@contextlib.asynccontextmanager
async def running_chat(backend: FakeBackend, hosts: Sequence[str]) -> AsyncIterator[list[FakeService]]:
    """Run replicas of chat on one port of these addresses."""
    port = free_port()
    services = [FakeService("chat", backend, host=host, port=port) for host in hosts]
    async with contextlib.AsyncExitStack() as stack:
        for service in services:
            await service.start()
            stack.push_async_callback(service.stop)
        yield services


async def test_a_gateway_follows_the_addresses_of_a_name(
    backend: FakeBackend, start_gateway: Callable[..., Awaitable[Gateway]], tmp_path: Path
) -> None:
    hosts_file = tmp_path / "hosts"
    hosts_file.write_text(f"{HOSTS[0]} chat.test # the first\n{HOSTS[1]} other.test chat.test\n")
    operator = backend.add_operator()
    async with running_chat(backend, HOSTS[:3]) as replicas:
        url = f"http://chat.test:{replicas[0].port}"
        gateway = await start_gateway(PARLEY_CHAT_URLS=url, PARLEY_HOSTS_FILE=str(hosts_file))

        async def get(path: str) -> None:
            async with gateway.get(f"/api/v1{path}", headers=bearer(token_for(operator))) as response:
                assert response.status == 200

        for _ in range(20):
            await get("/operator/active-chats")
        counts = [len(replica.proxied_requests()) for replica in replicas]
        assert counts == [10, 10, 0]
        metrics = await gateway.metrics()
        assert 'parley_gateway_replicas{service="chat"} 2.0' in metrics
        labels = f'{{replica="{HOSTS[0]}:{replicas[0].port}",service="chat"}}'
        assert f"parley_gateway_replica_requests_total{labels}" in metrics
        assert f"parley_gateway_replica_in_flight{labels} 0.0" in metrics

        hosts_file.write_text("\n".join(f"{host} chat.test" for host in HOSTS[:3]))

        async def is_third_used() -> bool:
            await get("/operator/active-chats")
            return bool(replicas[2].proxied_requests())

        await wait_until(is_third_used, timeout=5)


async def test_what_names_a_conversation_or_a_visitor_goes_to_one_replica(
    backend: FakeBackend, start_gateway: Callable[..., Awaitable[Gateway]], tmp_path: Path
) -> None:
    hosts_file = tmp_path / "hosts"
    hosts_file.write_text("\n".join(f"{host} chat.test" for host in HOSTS))
    operator = backend.add_operator()
    site_key, site = backend.add_site(any_origin=True)
    async with running_chat(backend, HOSTS) as replicas:
        url = f"http://chat.test:{replicas[0].port}"
        gateway = await start_gateway(PARLEY_CHAT_URLS=url, PARLEY_HOSTS_FILE=str(hosts_file))
        headers = bearer(token_for(operator))
        used = set()
        for number in range(8):
            session_id = f"session-{number}-0123456789"
            handle = session_handle(site["id"], session_id)
            conversation_id = partitioned_id(1000 + number, handle)
            for replica in replicas:
                replica.requests.clear()
            visitor = {"site_key": site_key, "session_id": session_id}
            requests = [
                gateway.post(
                    "/api/v1/operator/message",
                    headers=headers,
                    json={"content": "x"} | {"conversation_id": conversation_id},
                ),
                gateway.post(f"/api/v1/operator/accept/{conversation_id}", headers=headers),
                gateway.get(f"/api/v1/conversations/{conversation_id}/messages", headers=headers),
                gateway.post("/api/v1/operator/proactive-message", headers=headers, json={"session_id": handle}),
                gateway.post("/api/v1/chat/stream", json=visitor | {"message": "Hello"}),
                gateway.get("/api/v1/chat/history", params=visitor),
            ]
            for request in requests:
                async with request as response:
                    assert response.status == 200
            served = [len(replica.proxied_requests()) for replica in replicas]
            assert sorted(served) == [0, 0, 0, len(requests)]
            used.add(served.index(len(requests)))
        assert len(used) > 1
