"""Replicas of notify as real processes, and what they get from the gateway and chat: callers, events, RPC answers."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from parley.common.auth.identity import (
    IDENTITY_HEADER,
    Caller,
    GatewayCaller,
    IdentitySigner,
    OperatorCaller,
    Permission,
    VisitorCaller,
)
from parley.common.events import Actor, Event, new_event
from parley.common.events.conversations import ConversationAccepted, ConversationPending, ConversationTransferred
from parley.common.events.messages import MessageCreated, MessageRead, NoteCreated, NoteSchema, Typing
from parley.common.events.schemas import ConversationSchema, LastMessage, Mode, OperatorRef, Role, VisitorSchema
from parley.common.events.team import OperatorAccessChanged, SiteChanged
from parley.common.messaging import BrokerConnection, RpcServer
from parley.common.runtime.clock import utc_now
from parley_dev.ports import free_ports
from support.service_process import ServiceProcess, StartService
from support.sse import SseStream
from support.wait import wait_until

SECRET = secrets.token_hex(32)
GATEWAY = GatewayCaller()
_ids = itertools.count(int(time.time() * 1000) % 1_000_000_000 * 1000)


def unique_id() -> int:
    """Return an id that no other test of this run uses."""
    return next(_ids)


@dataclass(slots=True)
class NotifyReplica:
    """One process of the service."""

    start_service: StartService
    env: dict[str, str]
    directory: Path
    port: int = 0
    internal_port: int = 0
    process: ServiceProcess | None = None
    http: aiohttp.ClientSession | None = None
    log_file: Path = field(default_factory=Path)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, *, wait_ready: bool = True) -> None:
        self.port, self.internal_port = free_ports(2)
        self.log_file = self.directory / f"notify-{self.port}.log"
        environment = {
            "PATH": os.environ["PATH"],
            **self.env,
            "PARLEY_HOST": "127.0.0.1",
            "PARLEY_PORT": str(self.port),
            "PARLEY_INTERNAL_PORT": str(self.internal_port),
        }
        with self.log_file.open("wb") as log_file:
            self.process = await self.start_service("notify", environment, log_file)
        self.http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
        )
        if wait_ready:
            await wait_until(self.is_ready, timeout=30, description="notify to be ready")

    async def is_ready(self) -> bool:
        """Whether it serves requests, and everything works that it uses."""
        assert self.process is not None
        assert self.http is not None
        assert self.process.returncode is None, self.log_file.read_text()
        try:
            async with self.http.get(f"http://127.0.0.1:{self.internal_port}/readyz?verbose") as response:
                return response.status == 200 and not (await response.json())["degraded"]
        except aiohttp.ClientError:
            return False

    async def stop(self, signal_number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal_number)
            await asyncio.wait_for(self.process.wait(), 30)
        if self.http is not None:
            await self.http.close()

    def headers(self, caller: Caller, last_event_id: str | None = None) -> dict[str, str]:
        headers = {IDENTITY_HEADER: IdentitySigner(SECRET).sign(caller)}
        return headers | {"Last-Event-ID": last_event_id} if last_event_id is not None else headers

    @asynccontextmanager
    async def stream(
        self, caller: Caller, last_event_id: str | None = None, query: Mapping[str, str] | None = None
    ) -> AsyncIterator[SseStream]:
        """Open the caller's stream and wait for `ready`."""
        assert self.http is not None
        path = "/api/v1/chat/events" if isinstance(caller, VisitorCaller) else "/api/v1/operator/stream"
        async with self.http.get(
            self.url + path, headers=self.headers(caller, last_event_id), params=query or {}
        ) as response:
            assert response.status == 200, (response.status, await response.text())
            async with SseStream(response) as stream:
                await stream.wait_for("ready")
                yield stream

    async def request(
        self, caller: Caller, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        """Send a request and return status, JSON body and headers."""
        assert self.http is not None
        async with self.http.request(
            method, self.url + path, json=body, headers=self.headers(caller) | headers
        ) as response:
            return response.status, await response.json(), response.headers

    async def metric(self, series: str) -> float:
        """Return a metric's value by its full name with labels; 0 if it has none yet."""
        assert self.http is not None
        async with self.http.get(f"http://127.0.0.1:{self.internal_port}/metrics") as response:
            text = await response.text()
        values = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.rsplit(" ", 1)[0] == series]
        return float(values[0]) if values else 0.0

    async def open_streams(self) -> float:
        kinds = ("operator", "visitor")
        return sum([await self.metric(f'parley_notify_streams{{kind="{kind}"}}') for kind in kinds])


StartReplica = Callable[..., Awaitable[NotifyReplica]]
"""Starts a replica over the test's own database; keyword arguments are its settings."""


@dataclass(slots=True)
class FakeTeam:
    """Answers the RPC methods of chat about sites and their operators."""

    operators: dict[int, dict[int, dict[str, Any]]] = field(default_factory=dict)
    """By site, by operator."""
    site_settings: dict[int, dict[str, Any]] = field(default_factory=dict)
    """A site's settings that differ from the defaults."""
    ended_logins: set[str] = field(default_factory=set)
    """Login sessions and hashes of API keys that have ended; all others are valid."""
    mails: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What is to be sent, by the id of the request."""
    unavailable: bool = False

    def add(self, site_id: int, operator_id: int, language: str = "en", *permissions: str) -> None:
        operator = {"operator_id": operator_id, "language": language, "permissions": list(permissions or ("can_chat",))}
        self.operators.setdefault(site_id, {})[operator_id] = operator

    def rpc_methods(self) -> dict[str, Any]:
        return {
            "site_operators": self._site_operators,
            "site": self._site,
            "valid_logins": self._valid_logins,
            "transcript_mail": self._transcript_mail,
        }

    async def _site_operators(self, body: dict[str, Any]) -> dict[str, Any] | None:
        self._check_available()
        return {"operators": list(self.operators.get(body["site_id"], {}).values())}

    async def _site(self, body: dict[str, Any]) -> dict[str, Any] | None:
        self._check_available()
        settings = self.site_settings.get(body["site_id"], {})
        return {"tenant_id": 1, "name": "A site", "routing": "all", "private_push": False, **settings}

    async def _valid_logins(self, body: dict[str, Any]) -> dict[str, Any] | None:
        self._check_available()
        kinds = ("session_ids", "api_key_hashes")
        return {kind: [login for login in body[kind] if login not in self.ended_logins] for kind in kinds}

    async def _transcript_mail(self, body: dict[str, Any]) -> dict[str, Any] | None:
        self._check_available()
        return self.mails.get(body["request_id"])

    def _check_available(self) -> None:
        if self.unavailable:
            raise RuntimeError("chat is unavailable")


@dataclass(slots=True)
class Scenario:
    """A tenant with one site, one conversation and its people, and the events that chat publishes about them."""

    broker: BrokerConnection
    tenant_id: int = field(default_factory=unique_id)
    site_id: int = field(default_factory=unique_id)
    conversation_id: int = field(default_factory=unique_id)
    session: str = field(default_factory=lambda: f"sess_{secrets.token_hex(16)}")
    seq: int = 0
    mode: Mode = "operator"
    assigned_operator: OperatorRef | None = None

    def operator(self, operator_id: int | None = None, **changes: Any) -> OperatorCaller:
        """Return a new operator of the site with all permissions."""
        caller = OperatorCaller(
            operator_id=operator_id or unique_id(),
            tenant_id=self.tenant_id,
            name="Alex",
            sites={self.site_id: frozenset(Permission)},
            login_session_id=secrets.token_hex(8),
            access_version=1,
            expires_at=int(time.time()) + 3600,
        )
        return replace(caller, **changes)

    def visitor(self) -> VisitorCaller:
        return VisitorCaller(self.tenant_id, self.site_id, self.session)

    def other_conversation(self) -> Scenario:
        """Return a second conversation on the same site."""
        return Scenario(self.broker, tenant_id=self.tenant_id, site_id=self.site_id)

    # Publish what chat publishes.

    async def publish(self, data: Any, **fields: Any) -> Event:
        event = self._event(data, **fields)
        await self.republish(event)
        return event

    async def republish(self, event: Event) -> None:
        await self.broker.publish([event.to_document()])

    async def send_message(self, content: str = "Hello", role: Role = "visitor") -> Event:
        return await self.publish(self._message(content, role))

    def make_message(self, content: str) -> Event:
        """Return the event of a visitor's message without publishing it."""
        return self._event(self._message(content))

    async def send_messages_in_one_batch(self, *contents: str) -> None:
        events = [self.make_message(content) for content in contents]
        await self.broker.publish([event.to_document() for event in events])

    async def send_typing(self, role: Any, operator: OperatorCaller | None = None) -> None:
        actor = Actor(kind="operator", id=operator.operator_id) if operator else Actor(kind="visitor")
        event = self._event(Typing(role=role, name="Alex" if operator else None), actor=actor)
        await self.broker.publish_ephemeral(event)

    async def add_note(self, content: str, mentions: tuple[int, ...] = ()) -> Event:
        author = OperatorRef(id=1, name="Alex")
        note = NoteSchema(id=unique_id(), content=content, author=author, created_at=utc_now(), mentions=mentions)
        return await self.publish(NoteCreated(note=note))

    async def mark_read(self, operator: OperatorCaller, seq: int) -> Event:
        reader = _operator_ref(operator)
        return await self.publish(
            MessageRead(reader="operator", seq=seq, by=reader, conversation=self._conversation_schema())
        )

    async def request_operator(self) -> Event:
        """Hand the conversation off: it waits for an operator."""
        self.mode, self.assigned_operator = "pending", None
        conversation = self._conversation_schema("Is anybody there?")
        return await self.publish(ConversationPending(mode="pending", conversation=conversation))

    async def accept(self, operator: OperatorCaller) -> Event:
        self.mode, self.assigned_operator = "operator", _operator_ref(operator)
        return await self.publish(
            ConversationAccepted(
                mode="operator", operator=self.assigned_operator, conversation=self._conversation_schema()
            )
        )

    async def transfer(self, operator: OperatorCaller) -> Event:
        self.mode, self.assigned_operator = "operator", _operator_ref(operator)
        return await self.publish(
            ConversationTransferred(
                mode="operator", operator=self.assigned_operator, conversation=self._conversation_schema("Help")
            )
        )

    async def change_access(
        self, operator: OperatorCaller, version: int, session_id: str | None = None, **changes: Any
    ) -> None:
        data = OperatorAccessChanged(
            operator_id=operator.operator_id, version=version, session_id=session_id, **changes
        )
        await self.broker.publish([new_event(data, tenant_id=self.tenant_id, site_id=0).to_document()])

    async def change_site(self, *, deleted: bool = False) -> None:
        event = new_event(SiteChanged(deleted=deleted), tenant_id=self.tenant_id, site_id=self.site_id)
        await self.broker.publish([event.to_document()])

    async def fill_log(self, count: int) -> None:
        """Add events to the tenant's partition of the log that no stream shows."""
        events = [new_event(SiteChanged(), tenant_id=self.tenant_id, site_id=unique_id()) for _ in range(count)]
        for start in range(0, count, 500):
            await self.broker.publish([event.to_document() for event in events[start : start + 500]])

    def _event(self, data: Any, **fields: Any) -> Event:
        return new_event(
            data,
            tenant_id=self.tenant_id,
            site_id=self.site_id,
            conversation_id=self.conversation_id,
            session=self.session,
            **fields,
        )

    def _message(self, content: str, role: Role = "visitor") -> MessageCreated:
        self.seq += 1
        return MessageCreated(
            id=unique_id(),
            conversation_id=self.conversation_id,
            seq=self.seq,
            role=role,
            content=content,
            created_at=utc_now(),
            conversation=self._conversation_schema(content),
        )

    def _conversation_schema(self, text: str = "") -> ConversationSchema:
        now = utc_now()
        return ConversationSchema(
            id=self.conversation_id,
            site_id=self.site_id,
            mode=self.mode,
            visitor=VisitorSchema(session_id=self.session, name="Jane"),
            operator=self.assigned_operator,
            last_message=LastMessage(seq=self.seq, role="visitor", preview=text[:100], created_at=now),
            last_seq=self.seq,
            created_at=now,
            updated_at=now,
        )


@asynccontextmanager
async def connect_as_chat(amqp_url: str, team: FakeTeam) -> AsyncIterator[BrokerConnection]:
    """Connect to a broker, answering RPC requests as chat does."""
    broker = BrokerConnection(amqp_url)
    broker.add(RpcServer("chat", team.rpc_methods()))
    await broker.start()
    await wait_until(lambda: broker.unready_reason() is None, timeout=30)
    yield broker
    await broker.stop()


def message_texts(stream: SseStream) -> list[str]:
    """Return the texts of the messages that a stream has shown, in order."""
    return [event.data["data"]["content"] for event in stream.of_type("message.created")]


async def wait_for_message(stream: SseStream, content: str, timeout: float = 10.0) -> None:
    """Wait until a stream has shown a message with this text."""
    await stream.wait_for("message.created", lambda event: event.data["data"]["content"] == content, timeout=timeout)


def _operator_ref(operator: OperatorCaller) -> OperatorRef:
    return OperatorRef(id=operator.operator_id, name=operator.name)
