"""Replicas of notify as real processes, callers as the gateway would sign them, and facts as chat would tell them."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from parley.common.auth.identity import (
    HEADER,
    Caller,
    GatewayCaller,
    IdentitySigner,
    OperatorCaller,
    Permission,
    VisitorCaller,
)
from parley.common.events import Actor, Event, new_event
from parley.common.events.conversations import ConversationAccepted, ConversationPending, ConversationTransferred
from parley.common.events.messages import MessageCreated, MessageRead, NoteCreated, NoteView, Typing
from parley.common.events.schemas import ConversationView, LastMessage, Mode, Person, Role, VisitorView
from parley.common.events.team import OperatorAccessChanged, SiteChanged
from parley.common.messaging import Bus
from parley.common.runtime.clock import utc_now
from parley_dev.ports import free_ports
from support.sse import EventStream
from support.wait import until

SECRET = secrets.token_hex(32)
_numbers = itertools.count(int(time.time() * 1000) % 1_000_000_000 * 1000)


def fresh_id() -> int:
    """An id that no other test of this run uses."""
    return next(_numbers)


@dataclass(slots=True)
class Replica:
    """One process of the service."""

    env: dict[str, str]
    directory: Path
    port: int = 0
    internal_port: int = 0
    process: asyncio.subprocess.Process | None = None
    http: aiohttp.ClientSession | None = None
    output: Path = field(default_factory=Path)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, *, ready: bool = True) -> None:
        self.port, self.internal_port = free_ports(2)
        self.output = self.directory / f"notify-{self.port}.log"
        with self.output.open("wb") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "parley.notify",
                env={
                    "PATH": os.environ["PATH"],
                    **self.env,
                    "PARLEY_HOST": "127.0.0.1",
                    "PARLEY_PORT": str(self.port),
                    "PARLEY_INTERNAL_PORT": str(self.internal_port),
                },
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
            )
        self.http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
        )
        if ready:
            await until(self.is_ready, within=30, what="notify to be ready")

    async def is_ready(self) -> bool:
        assert self.process is not None
        assert self.http is not None
        assert self.process.returncode is None, self.output.read_text()
        try:
            async with self.http.get(f"http://127.0.0.1:{self.internal_port}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
            await asyncio.wait_for(self.process.wait(), 30)
        if self.http is not None:
            await self.http.close()

    def headers(self, caller: Caller, last_event_id: str | None = None) -> dict[str, str]:
        sent = {HEADER: IdentitySigner(SECRET).sign(caller)}
        return sent | {"Last-Event-ID": last_event_id} if last_event_id is not None else sent

    @asynccontextmanager
    async def stream(
        self, caller: Caller, last_event_id: str | None = None, query: Mapping[str, str] | None = None
    ) -> AsyncIterator[EventStream]:
        """The caller's live stream."""
        assert self.http is not None
        path = "/api/v1/chat/events" if isinstance(caller, VisitorCaller) else "/api/v1/operator/stream"
        async with self.http.get(
            self.url + path, headers=self.headers(caller, last_event_id), params=query or {}
        ) as response:
            assert response.status == 200, (response.status, await response.text())
            async with EventStream(response) as events:
                await events.wait("ready")
                yield events

    async def call(
        self, caller: Caller, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        assert self.http is not None
        async with self.http.request(
            method, self.url + path, json=body, headers=self.headers(caller) | headers
        ) as response:
            return response.status, await response.json(), response.headers

    async def metric(self, line: str) -> float:
        """A metric's value by its whole name with labels; 0 where it has none yet."""
        assert self.http is not None
        async with self.http.get(f"http://127.0.0.1:{self.internal_port}/metrics") as response:
            text = await response.text()
        found = [row.rsplit(" ", 1)[1] for row in text.splitlines() if row.rsplit(" ", 1)[0] == line]
        return float(found[0]) if found else 0.0

    async def open_streams(self) -> float:
        kinds = ("operator", "visitor")
        return sum([await self.metric(f'parley_notify_streams{{kind="{kind}"}}') for kind in kinds])


@dataclass(slots=True)
class Crew:
    """The teams that chat would know, by site. `away`: chat does not answer."""

    sites: dict[int, dict[int, dict[str, Any]]] = field(default_factory=dict)
    choices: dict[int, dict[str, Any]] = field(default_factory=dict)
    """What a site has chosen, beside the defaults."""
    away: bool = False
    asked: int = 0

    def add(self, site_id: int, operator_id: int, language: str = "en", *permissions: str) -> None:
        member = {"operator_id": operator_id, "language": language, "permissions": list(permissions or ("can_chat",))}
        self.sites.setdefault(site_id, {})[operator_id] = member

    async def answer(self, question: dict[str, Any]) -> dict[str, Any] | None:
        if self.away:
            raise RuntimeError("chat is away")
        self.asked += 1
        return {"operators": list(self.sites.get(question["site_id"], {}).values())}

    async def about(self, question: dict[str, Any]) -> dict[str, Any] | None:
        if self.away:
            raise RuntimeError("chat is away")
        chosen = self.choices.get(question["site_id"], {})
        return {"tenant_id": 1, "name": "A site", "routing": "all", "private_push": False, **chosen}

    def questions(self) -> dict[str, Any]:
        """What chat would answer."""
        return {"site_operators": self.answer, "site": self.about}


@dataclass(slots=True)
class Scene:
    """A tenant with one site, one conversation and its people, and the events chat would tell of them."""

    bus: Bus
    tenant_id: int = field(default_factory=fresh_id)
    site_id: int = field(default_factory=fresh_id)
    conversation_id: int = field(default_factory=fresh_id)
    session: str = field(default_factory=lambda: f"sess_{secrets.token_hex(16)}")
    seq: int = 0
    mode: Mode = "operator"
    holder: Person | None = None
    told: list[Event] = field(default_factory=list)

    def operator(self, operator_id: int | None = None, **changes: Any) -> OperatorCaller:
        caller = OperatorCaller(
            operator_id=operator_id or fresh_id(),
            tenant_id=self.tenant_id,
            name="Alex",
            sites={self.site_id: frozenset(Permission)},
            session_id=secrets.token_hex(8),
            access_version=1,
            expires_at=int(time.time()) + 3600,
        )
        return replace(caller, **changes)

    def visitor(self) -> VisitorCaller:
        return VisitorCaller(self.tenant_id, self.site_id, self.session)

    def conversation(self, text: str = "") -> ConversationView:
        now = utc_now()
        return ConversationView(
            id=self.conversation_id,
            site_id=self.site_id,
            mode=self.mode,
            visitor=VisitorView(session_id=self.session, name="Jane"),
            operator=self.holder,
            last_message=LastMessage(seq=self.seq, role="visitor", preview=text[:100], created_at=now),
            last_seq=self.seq,
            created_at=now,
            updated_at=now,
        )

    def event(self, data: Any, **more: Any) -> Event:
        return new_event(
            data,
            tenant_id=self.tenant_id,
            site_id=self.site_id,
            conversation_id=self.conversation_id,
            session=self.session,
            **more,
        )

    async def tell(self, data: Any, **more: Any) -> Event:
        event = self.event(data, **more)
        await self.again(event)
        return event

    async def again(self, event: Event) -> None:
        await self.bus.publish([event.to_document()])
        self.told.append(event)

    def message(self, content: str = "Hello", role: Role = "visitor") -> MessageCreated:
        self.seq += 1
        return MessageCreated(
            id=fresh_id(),
            conversation_id=self.conversation_id,
            seq=self.seq,
            role=role,
            content=content,
            created_at=utc_now(),
            conversation=self.conversation(content),
        )

    async def say(self, content: str = "Hello", role: Role = "visitor") -> Event:
        return await self.tell(self.message(content, role))

    async def together(self, *contents: str) -> None:
        """Messages that are published in one go."""
        said = [self.event(self.message(content)) for content in contents]
        await self.bus.publish([event.to_document() for event in said])
        self.told += said

    async def note(self, content: str) -> Event:
        note = NoteView(id=fresh_id(), content=content, author=Person(id=1, name="Alex"), created_at=utc_now())
        return await self.tell(NoteCreated(note=note))

    async def read(self, operator: OperatorCaller, seq: int) -> Event:
        by = Person(id=operator.operator_id, name=operator.name)
        return await self.tell(MessageRead(reader="operator", seq=seq, by=by, conversation=self.conversation()))

    async def pend(self) -> Event:
        self.mode, self.holder = "pending", None
        return await self.tell(ConversationPending(mode="pending", conversation=self.conversation("Is anybody there?")))

    async def accept(self, operator: OperatorCaller) -> Event:
        self.mode, self.holder = "operator", Person(id=operator.operator_id, name=operator.name)
        return await self.tell(
            ConversationAccepted(mode="operator", operator=self.holder, conversation=self.conversation())
        )

    async def transfer(self, operator: OperatorCaller) -> Event:
        self.mode, self.holder = "operator", Person(id=operator.operator_id, name=operator.name)
        return await self.tell(
            ConversationTransferred(mode="operator", operator=self.holder, conversation=self.conversation("Help"))
        )

    async def access_changed(self, operator: OperatorCaller, version: int, session_id: str | None = None) -> None:
        changed = OperatorAccessChanged(operator_id=operator.operator_id, version=version, session_id=session_id)
        await self.bus.publish([new_event(changed, tenant_id=self.tenant_id, site_id=0).to_document()])

    async def site_changed(self) -> None:
        changed = new_event(SiteChanged(), tenant_id=self.tenant_id, site_id=self.site_id)
        await self.bus.publish([changed.to_document()])

    async def flood(self, events: int) -> None:
        """Let the log grow by so many events that nobody is shown."""
        facts = [new_event(SiteChanged(), tenant_id=fresh_id(), site_id=fresh_id()) for _ in range(events)]
        for start in range(0, events, 500):
            await self.bus.publish([fact.to_document() for fact in facts[start : start + 500]])

    async def site_deleted(self) -> None:
        gone = new_event(SiteChanged(deleted=True), tenant_id=self.tenant_id, site_id=self.site_id)
        await self.bus.publish([gone.to_document()])

    async def type(self, role: Any, operator: OperatorCaller | None = None) -> None:
        actor = Actor(kind="operator", id=operator.operator_id) if operator else Actor(kind="visitor")
        event = new_event(
            Typing(role=role, name="Alex" if operator else None),
            tenant_id=self.tenant_id,
            site_id=self.site_id,
            conversation_id=self.conversation_id,
            session=self.session,
            actor=actor,
        )
        await self.bus.whisper(event)


GATEWAY = GatewayCaller()


def texts(events: EventStream) -> list[str]:
    """What messages a stream has shown, in order."""
    return [event.data["data"]["content"] for event in events.of("message.created")]


async def shown(events: EventStream, content: str, within: float = 10.0) -> None:
    """Wait until a stream has shown a message."""
    await events.wait("message.created", lambda event: event.data["data"]["content"] == content, within=within)
