"""Presence as real processes, the rest of the house as they hear it, and ears on what they announce."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from parley.common.auth.identity import HEADER, Caller, IdentitySigner, OperatorCaller, Permission, VisitorCaller
from parley.common.events import Event, EventData, new_event
from parley.common.messaging import AnswerQuestions, Bus, LogFollower, LogRecord
from support.wait import until

SECRET = "presence-tests-identity-5f0c9b7e21d84a36"
EVERYTHING = frozenset(Permission)
Answered = tuple[int, dict[str, Any]]
MakeOperator = Callable[..., OperatorCaller]
MakeVisitor = Callable[..., VisitorCaller]
MakeCable = Callable[[str, int], Awaitable["Cable"]]


def fresh_id() -> int:
    """An id that no other test, in this run or beside it, has."""
    return random.randrange(10**6, 10**12)


class Replica:
    """One presence process."""

    def __init__(self, environment: dict[str, str], http: aiohttp.ClientSession) -> None:
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
            for one in sockets:
                one.bind(("127.0.0.1", 0))
            self.port, self.internal_port = (one.getsockname()[1] for one in sockets)
        self._environment = environment
        self._http = http
        self._signer = IdentitySigner(SECRET)
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> Replica:
        own = {
            "PARLEY_HOST": "127.0.0.1",
            "PARLEY_PORT": str(self.port),
            "PARLEY_INTERNAL_PORT": str(self.internal_port),
            "PARLEY_IDENTITY_SECRET": SECRET,
            "PARLEY_LOG_LEVEL": "warning",
        }
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "parley.presence", env={**os.environ, **own, **self._environment}
        )
        async with asyncio.timeout(40):
            while not await self.is_ready():
                await asyncio.sleep(0.05)
        return self

    async def is_ready(self) -> bool:
        try:
            async with self._http.get(f"http://127.0.0.1:{self.internal_port}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False

    async def stop(self) -> int:
        return await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 30)

    async def metric(self, name: str) -> float:
        async with self._http.get(f"http://127.0.0.1:{self.internal_port}/metrics") as response:
            lines = (await response.text()).splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    async def call(self, method: str, path: str, caller: Caller, body: Any = None, **query: Any) -> Answered:
        headers = {HEADER: self._signer.sign(caller)}
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self._http.request(method, url, json=body, params=query, headers=headers) as response:
            return response.status, await response.json()

    async def operator_beats(self, caller: OperatorCaller, *site_ids: int) -> Answered:
        return await self.call("POST", "/api/v1/operator/heartbeat", caller, {"site_ids": list(site_ids)})

    async def operator_sets(self, caller: OperatorCaller, site_id: int, *, online: bool) -> Answered:
        return await self.call("POST", "/api/v1/operator/set-status", caller, {"site_id": site_id, "online": online})

    async def status(self, caller: OperatorCaller, **query: Any) -> dict[str, Any]:
        code, answer = await self.call("GET", "/api/v1/operator/status", caller, **query)
        assert code == 200, answer
        return answer

    async def visitor_beats(self, caller: VisitorCaller, page: str = "https://shop.example/", **more: Any) -> Answered:
        return await self.call("POST", "/api/v1/chat/heartbeat", caller, {"page": page, **more})

    async def visitors(self, caller: OperatorCaller, **query: Any) -> dict[str, Any]:
        code, answer = await self.call("GET", "/api/v1/operator/all-online-visitors", caller, **query)
        assert code == 200, answer
        return answer


@dataclass
class Installation:
    """A database and a broker of a test's own, and as many replicas on them as it wants."""

    mongodb_uri: str
    amqp_url: str
    http: aiohttp.ClientSession
    prefix: str = field(default_factory=lambda: f"t{secrets.token_hex(6)}")
    replicas: list[Replica] = field(default_factory=list)

    async def start(self, **environment: str) -> Replica:
        place = {"MONGODB_URI": self.mongodb_uri, "AMQP_URL": self.amqp_url, "PARLEY_DATABASE_PREFIX": self.prefix}
        replica = Replica({**place, **environment}, self.http)
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


class Ears:
    """Hears every event of some sites; one that is delivered again, as a consumer must expect, is one all the same."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self._known: set[str] = set()

    async def take(self, event: Event) -> None:
        if event.id not in self._known:
            self._known.add(event.id)
            self.heard.append(event)

    def kinds(self) -> list[str]:
        return [event.type for event in self.heard]

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.heard if event.type == kind]


class Lag:
    """How late the machine itself is while something is timed: the most that a short sleep took too long."""

    def __init__(self) -> None:
        self.most = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Lag:
        self._task = asyncio.create_task(self._measure())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.05)
            self.most = max(self.most, loop.time() - before - 0.05)

    @property
    def allowance(self) -> float:
        """Seconds to add to a promise: a transition is a handful of steps, each of which may wait for its turn."""
        return 8 * self.most


class Broker:
    """The rest of the house, as far as presence hears and asks it: over the real broker."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._buses: list[Bus] = []
        self.sites: dict[int, int] = {}
        self.teams: dict[int, list[dict[str, Any]]] = {}

    async def _run(self, session: Any) -> None:
        bus = Bus(self._url)
        bus.add(session)
        await bus.start()
        self._buses.append(bus)
        await until(lambda: session.running)

    async def listen(self, *site_ids: int) -> Ears:
        ears = Ears()
        began = datetime.now(UTC)

        async def take(record: LogRecord) -> None:
            for event in record.events:
                if event is not None and event.site_id in site_ids:
                    await ears.take(event)

        await self._run(LogFollower("ears", lambda: began, take))
        return ears

    async def answer_as_chat(self) -> None:
        async def site(body: dict[str, Any]) -> dict[str, Any] | None:
            tenant = self.sites.get(body["site_id"])
            return None if tenant is None else {"tenant_id": tenant, "name": "A site"}

        async def site_operators(body: dict[str, Any]) -> dict[str, Any] | None:
            return {"operators": self.teams.get(body["site_id"], [])}

        await self._run(AnswerQuestions("chat", {"site": site, "site_operators": site_operators}))

    async def publish(self, data: EventData, **about: Any) -> None:
        await self._buses[0].publish([new_event(data, **about).to_document()])

    async def add(self, session: Any) -> None:
        await self._run(session)

    async def close(self) -> None:
        for bus in self._buses:
            await bus.stop()


class Cable:
    """A way to a server that can be pulled out and put back."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def plug(self) -> Cable:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def pull(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            with contextlib.closing(far_writer):
                await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    raise ConnectionResetError
