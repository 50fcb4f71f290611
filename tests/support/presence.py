"""Presence as real processes, a stand-in for chat on the real broker, and a recorder of the events they publish."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from parley.common.auth.identity import (
    IDENTITY_HEADER,
    Caller,
    IdentitySigner,
    OperatorCaller,
    Permission,
    VisitorCaller,
)
from parley.common.events import Event, EventData, new_event
from parley.common.messaging import BrokerConnection, RpcServer
from parley.common.messaging.broker import ChannelSession
from parley.notify.streaming.log_consumer import LogRecord
from parley_dev.process import child_environment
from support.event_log import whole_log_consumers
from support.service_process import ServiceProcess, StartService
from support.tcp_proxy import TcpProxy
from support.wait import wait_until

SECRET = "presence-tests-identity-5f0c9b7e21d84a36"
EVERYTHING = frozenset(Permission)
Response = tuple[int, dict[str, Any]]
"""Status code and JSON body."""
MakeOperator = Callable[..., OperatorCaller]
MakeVisitor = Callable[..., VisitorCaller]
MakeProxy = Callable[[str, int], Awaitable[TcpProxy]]


def fresh_id() -> int:
    """Return an id that no other test of this or a parallel run uses."""
    return random.randrange(10**6, 10**12)


class Replica:
    """One presence process."""

    def __init__(self, start: StartService, environment: dict[str, str], http: aiohttp.ClientSession) -> None:
        self._start = start
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
            for port_socket in sockets:
                port_socket.bind(("127.0.0.1", 0))
            self.port, self.internal_port = (port_socket.getsockname()[1] for port_socket in sockets)
        self._environment = environment
        self._http = http
        self._signer = IdentitySigner(SECRET)
        self.process: ServiceProcess | None = None

    async def start(self) -> Replica:
        variables = {
            "PARLEY_HOST": "127.0.0.1",
            "PARLEY_PORT": str(self.port),
            "PARLEY_INTERNAL_PORT": str(self.internal_port),
            "PARLEY_IDENTITY_SECRET": SECRET,
            "PARLEY_LOG_LEVEL": "warning",
        }
        environment = {**child_environment(), **variables, **self._environment}
        self.process = await self._start("presence", environment, None)
        async with asyncio.timeout(40):
            while not await self.is_ready():
                await asyncio.sleep(0.05)
        return self

    async def is_ready(self) -> bool:
        """Whether it serves requests, and everything works that it uses."""
        readiness = await self.readiness()
        return readiness is not None and readiness["ready"] and not readiness["degraded"]

    async def readiness(self) -> dict[str, Any] | None:
        """Return what `/readyz?verbose` says; None before it listens."""
        try:
            async with self._http.get(f"http://127.0.0.1:{self.internal_port}/readyz?verbose") as response:
                return dict(await response.json())
        except aiohttp.ClientConnectionError:
            return None

    async def stop(self) -> int:
        return await self._terminate(signal.SIGTERM)

    async def kill(self) -> None:
        await self._terminate(signal.SIGKILL)

    async def _terminate(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 30)

    async def metric(self, name: str) -> float:
        async with self._http.get(f"http://127.0.0.1:{self.internal_port}/metrics") as response:
            lines = (await response.text()).splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    async def call(self, method: str, path: str, caller: Caller, body: Any = None, **query: Any) -> Response:
        headers = {IDENTITY_HEADER: self._signer.sign(caller)}
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self._http.request(method, url, json=body, params=query, headers=headers) as response:
            return response.status, await response.json()

    async def operator_heartbeat(self, caller: OperatorCaller, *site_ids: int) -> Response:
        return await self.call("POST", "/api/v1/operator/heartbeat", caller, {"site_ids": list(site_ids)})

    async def set_operator_status(self, caller: OperatorCaller, site_id: int, *, online: bool) -> Response:
        return await self.call("POST", "/api/v1/operator/set-status", caller, {"site_id": site_id, "online": online})

    async def get_status(self, caller: OperatorCaller, **query: Any) -> dict[str, Any]:
        code, body = await self.call("GET", "/api/v1/operator/status", caller, **query)
        assert code == 200, body
        return body

    async def visitor_heartbeat(
        self, caller: VisitorCaller, page: str = "https://shop.example/", **fields: Any
    ) -> Response:
        return await self.call("POST", "/api/v1/chat/heartbeat", caller, {"page": page, **fields})

    async def list_visitors(self, caller: OperatorCaller, **query: Any) -> dict[str, Any]:
        code, body = await self.call("GET", "/api/v1/operator/all-online-visitors", caller, **query)
        assert code == 200, body
        return body


@dataclass
class Deployment:
    """A database of its own, a broker, and the replicas started on them."""

    start_service: StartService
    mongodb_uri: str
    amqp_url: str
    http: aiohttp.ClientSession
    prefix: str = field(default_factory=lambda: f"t{secrets.token_hex(6)}")
    replicas: list[Replica] = field(default_factory=list)

    async def start(self, **environment: str) -> Replica:
        backends = {"MONGODB_URI": self.mongodb_uri, "AMQP_URL": self.amqp_url, "PARLEY_DATABASE_PREFIX": self.prefix}
        replica = Replica(self.start_service, {**backends, **environment}, self.http)
        self.replicas.append(replica)
        return await replica.start()

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
        async with AsyncMongoClient[dict[str, Any]](self.mongodb_uri, tz_aware=True) as client:
            yield client[f"{self.prefix}_presence"]

    async def close(self) -> None:
        for replica in self.replicas:
            await replica.kill()
        async with AsyncMongoClient[dict[str, Any]](self.mongodb_uri) as client:
            await client.drop_database(f"{self.prefix}_presence")


class EventRecorder:
    """Records events. An event that is delivered again counts once, as in every consumer."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._event_ids: set[str] = set()

    async def on_event(self, event: Event) -> None:
        if event.id not in self._event_ids:
            self._event_ids.add(event.id)
            self.events.append(event)

    def event_types(self) -> list[str]:
        return [event.type for event in self.events]

    def of_type(self, event_type: str) -> list[Event]:
        return [event for event in self.events if event.type == event_type]


class BrokerPeer:
    """The other services, as far as presence sees them: publishes events and answers RPC on the real broker."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connections: list[BrokerConnection] = []
        self.tenant_by_site: dict[int, int] = {}
        self.team_by_site: dict[int, list[dict[str, Any]]] = {}

    async def add_sessions(self, *sessions: ChannelSession) -> None:
        """Run consumers or RPC clients on a connection of their own, and wait until they are ready."""
        connection = BrokerConnection(self._url)
        for session in sessions:
            connection.add(session)
        await connection.start()
        self._connections.append(connection)
        await wait_until(lambda: all(session.running for session in sessions))

    async def record_events(self, *site_ids: int) -> EventRecorder:
        recorder = EventRecorder()
        started_at = datetime.now(UTC)

        async def on_record(record: LogRecord) -> None:
            for event in record.events:
                if event is not None and event.site_id in site_ids:
                    await recorder.on_event(event)

        await self.add_sessions(*whole_log_consumers("recorder", started_at, on_record))
        return recorder

    async def serve_chat_rpc(self) -> None:
        async def site(body: dict[str, Any]) -> dict[str, Any] | None:
            tenant_id = self.tenant_by_site.get(body["site_id"])
            return None if tenant_id is None else {"tenant_id": tenant_id, "name": "A site"}

        async def site_operators(body: dict[str, Any]) -> dict[str, Any] | None:
            return {"operators": self.team_by_site.get(body["site_id"], [])}

        await self.add_sessions(RpcServer("chat", {"site": site, "site_operators": site_operators}))

    async def publish(self, data: EventData, **envelope: Any) -> None:
        await self._connections[0].publish([new_event(data, **envelope).to_document()])

    async def close(self) -> None:
        for connection in self._connections:
            await connection.stop()
