"""Translate as a real process on a real MongoDB and RabbitMQ, with fake engine servers.

The broker is not shared: queue names are fixed, so another translate process would take the events.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from parley.common.auth.identity import IDENTITY_HEADER, IdentitySigner, OperatorCaller, Permission
from parley.common.events import Actor, Event, new_event
from parley.common.events.conversations import ConversationCreated
from parley.common.events.messages import MessageCreated
from parley.common.events.schemas import ConversationSchema, MessageTranslation, QuickReply, VisitorSchema
from parley.common.messaging import BrokerConnection, RpcClient, RpcServer
from parley.common.messaging.broker import ChannelSession
from parley.common.runtime.clock import utc_now
from parley.notify.streaming.log_consumer import LogRecord
from parley_dev.process import child_environment
from support.event_log import whole_log_consumers
from support.google_translate import FakeGoogleTranslate
from support.infrastructure import Infrastructure
from support.libretranslate import FakeLibreTranslate
from support.service_process import ServiceProcess, StartService
from support.wait import wait_until

SECRET = "translate-tests-identity-93b1f0c7d24e48aa"
EVERYTHING = frozenset(Permission)
Response = tuple[int, dict[str, Any]]
"""Status code and JSON body."""


def fresh_id() -> int:
    """Return an id that no other test uses."""
    return random.randrange(10**6, 10**12)


@dataclass
class ConversationFixture:
    """A conversation as chat has it, and its events."""

    tenant_id: int = field(default_factory=fresh_id)
    site_id: int = field(default_factory=fresh_id)
    id: int = field(default_factory=fresh_id)
    session: str = field(default_factory=lambda: f"sess_{secrets.token_hex(16)}")
    browser_language: str | None = None
    last_seq: int = 0

    def operator(self, granted: frozenset[Permission] = EVERYTHING, language: str = "en") -> OperatorCaller:
        return OperatorCaller(fresh_id(), self.tenant_id, "Alex", {self.site_id: granted}, language=language)

    def schema(self) -> ConversationSchema:
        visitor = VisitorSchema(session_id=self.session, language=self.browser_language)
        now = utc_now()
        return ConversationSchema(
            id=self.id, site_id=self.site_id, mode="operator", visitor=visitor, created_at=now, updated_at=now
        )

    def envelope(self) -> dict[str, Any]:
        return {
            "tenant_id": self.tenant_id,
            "site_id": self.site_id,
            "conversation_id": self.id,
            "session": self.session,
        }

    def created(self) -> Event:
        data = ConversationCreated(mode="operator", conversation=self.schema())
        return new_event(data, **self.envelope(), actor=Actor(kind="visitor"))

    def message(
        self,
        content: str,
        role: str = "visitor",
        translation: MessageTranslation | None = None,
        routing_tag: str | None = "translate",
        labels: tuple[str, ...] = (),
    ) -> Event:
        self.last_seq += 1
        data = MessageCreated(
            id=fresh_id(),
            conversation_id=self.id,
            seq=self.last_seq,
            role=role,
            content=content,
            translation=translation,
            quick_replies=tuple(QuickReply(label=label) for label in labels),
            created_at=utc_now(),
            conversation=self.schema(),
        )
        return new_event(data, **self.envelope(), routing_tag=routing_tag)


@dataclass
class TranslateHarness:
    """One translate process, its fake engines, and the other services as far as translate sees them."""

    start_service: StartService
    mongodb_uri: str
    amqp_url: str
    http: aiohttp.ClientSession
    google: FakeGoogleTranslate
    libre: FakeLibreTranslate
    environment: dict[str, str]
    prefix: str = field(default_factory=lambda: f"t{secrets.token_hex(6)}")
    events: list[Event] = field(default_factory=list)
    conversations: dict[int, ConversationFixture] = field(default_factory=dict)
    site_options: dict[int, dict[str, Any]] = field(default_factory=dict)
    earlier_messages: list[Event] = field(default_factory=list)
    """What chat has of the conversations from before their translation was on."""
    conversation_lookups: list[int] = field(default_factory=list)
    process: ServiceProcess | None = None
    _event_ids: set[str] = field(default_factory=set)
    _signer: IdentitySigner = field(default_factory=lambda: IdentitySigner(SECRET))

    async def start(self) -> None:
        self._broker, self.translate_rpc = BrokerConnection(self.amqp_url), RpcClient("translate")
        # Reads the event log, so that it misses nothing while the broker restarts.
        recorders = whole_log_consumers("recorder", utc_now(), self._on_record)
        chat = RpcServer(
            "chat", {"conversation": self._conversation, "site": self._site, "recent_messages": self._recent_messages}
        )
        sessions: list[ChannelSession] = [*recorders, chat, self.translate_rpc]
        for session in sessions:
            self._broker.add(session)
        await self._broker.start()
        await wait_until(self.is_broker_connected)
        await self.start_process()

    def is_broker_connected(self) -> bool:
        return self._broker.unready_reason() is None

    async def start_process(self) -> None:
        """Start the process, and wait until it is ready."""
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
            for port_socket in sockets:
                port_socket.bind(("127.0.0.1", 0))
            self.port, self.internal_port = (port_socket.getsockname()[1] for port_socket in sockets)
        variables = {
            "MONGODB_URI": self.mongodb_uri,
            "AMQP_URL": self.amqp_url,
            "PARLEY_DATABASE_PREFIX": self.prefix,
            "PARLEY_ENV": "development",
            "PARLEY_HOST": "127.0.0.1",
            "PARLEY_PORT": str(self.port),
            "PARLEY_INTERNAL_PORT": str(self.internal_port),
            "PARLEY_IDENTITY_SECRET": SECRET,
            "PARLEY_LOG_LEVEL": "warning",
            "PARLEY_GOOGLE_PROJECT": "acme",
            "PARLEY_GOOGLE_ENDPOINT": self.google.endpoint,
            "PARLEY_GOOGLE_PLAINTEXT": "true",
            "PARLEY_LIBRETRANSLATE_URL": self.libre.url,
            "PARLEY_TRANSLATE_CALL_SECONDS": "2",
            "PARLEY_TRANSLATE_SECONDS": "8",
            "PARLEY_TRANSLATE_ANSWER_SECONDS": "0.8",
        }
        environment = {**child_environment(), **variables, **self.environment}
        self.process = await self.start_service("translate", environment, None)
        await wait_until(self._is_ready, timeout=90, description="translate to be ready")

    async def stop_process(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 30)

    async def stop(self) -> None:
        await self.stop_process()
        await self._broker.stop()
        async with AsyncMongoClient[dict[str, Any]](self.mongodb_uri) as client:
            await client.drop_database(f"{self.prefix}_translate")

    async def call(self, path: str, caller: OperatorCaller, body: Any, key: str | None = None) -> Response:
        headers = {IDENTITY_HEADER: self._signer.sign(caller)} | ({"Idempotency-Key": key} if key else {})
        url = f"http://127.0.0.1:{self.port}/api/v1/operator/translation/{path}"
        async with self.http.post(url, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def toggle(self, caller: OperatorCaller, conversation: ConversationFixture, enabled: bool = True) -> Response:
        return await self.call("toggle", caller, {"conversation_id": conversation.id, "enabled": enabled})

    async def set_lang(
        self, caller: OperatorCaller, conversation: ConversationFixture, lang: str, **fields: str
    ) -> Response:
        return await self.call("set-lang", caller, {"conversation_id": conversation.id, "lang": lang, **fields})

    async def preview(self, caller: OperatorCaller, conversation: ConversationFixture, content: str) -> Response:
        return await self.call("preview", caller, {"conversation_id": conversation.id, "content": content})

    async def create_translated_conversation(
        self, lang: str | None = "de", operator_lang: str = "en", **fields: Any
    ) -> ConversationFixture:
        conversation = ConversationFixture(**fields)
        self.conversations[conversation.id] = conversation
        alex = conversation.operator(language=operator_lang)
        if lang is not None:
            await self.set_lang(alex, conversation, lang)
        code, body = await self.toggle(alex, conversation)
        assert code == 200, body
        return conversation

    async def publish(self, *events: Event) -> None:
        await self._broker.publish([event.to_document() for event in events])

    def list_events(self, conversation: ConversationFixture, event_type: str) -> list[Event]:
        return [event for event in self.events if event.type == event_type and event.conversation_id == conversation.id]

    async def wait_for_translation(self, message: Event, timeout: float = 30.0) -> dict[str, Any]:
        """Return the translation in the `message.translated` event of a message."""

        def find_event() -> Event | None:
            matches = (
                event
                for event in self.events
                if event.type == "message.translated" and event.data["id"] == message.data["id"]
            )
            return next(matches, None)

        event = await wait_until(find_event, timeout=timeout, description="message.translated")
        assert event is not None
        translation: dict[str, Any] = event.data["translation"]
        return translation

    async def metric(self, name: str) -> float:
        async with self.http.get(f"http://127.0.0.1:{self.internal_port}/metrics") as response:
            lines = (await response.text()).splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
        async with AsyncMongoClient[dict[str, Any]](self.mongodb_uri, tz_aware=True) as client:
            yield client[f"{self.prefix}_translate"]

    async def _is_ready(self) -> bool:
        try:
            async with self.http.get(f"http://127.0.0.1:{self.internal_port}/readyz?verbose") as response:
                return response.status == 200 and not (await response.json())["degraded"]
        except aiohttp.ClientConnectionError:
            return False

    async def _on_record(self, record: LogRecord) -> None:
        for event in record.events:
            # After a reconnect, the log is read from the start again.
            if event is not None and event.id not in self._event_ids:
                self._event_ids.add(event.id)
                self.events.append(event)

    async def _conversation(self, body: dict[str, Any]) -> dict[str, Any] | None:
        self.conversation_lookups.append(body["conversation_id"])
        conversation = self.conversations.get(body["conversation_id"])
        if conversation is None:
            return None
        return {
            "tenant_id": conversation.tenant_id,
            "site_id": conversation.site_id,
            "session": conversation.session,
        }

    async def _recent_messages(self, body: dict[str, Any]) -> dict[str, Any]:
        messages = [event.data for event in self.earlier_messages if event.conversation_id == body["conversation_id"]]
        return {"language": None, "messages": messages[-body["limit"] :]}

    async def _site(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"tenant_id": 1, "name": "A site", "translation": self.site_options.get(body["site_id"])}


@pytest.fixture(scope="session")
async def amqp_url(infrastructure: Infrastructure, run_directory: Path) -> AsyncIterator[str]:
    """A broker of its own: the harness answers the RPC requests of translate as chat does."""
    async with infrastructure.broker(run_directory / "translate") as amqp_url:
        yield amqp_url


@pytest.fixture(scope="module")
async def google() -> AsyncIterator[FakeGoogleTranslate]:
    server = await FakeGoogleTranslate().start()
    yield server
    await server.stop()


@pytest.fixture(scope="module")
async def libre() -> AsyncIterator[FakeLibreTranslate]:
    server = await FakeLibreTranslate().start()
    yield server
    await server.stop()


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Additional environment variables of a module's process."""
    return {}


@pytest.fixture(scope="module")
async def harness(
    infrastructure: Infrastructure,
    mongodb_uri: str,
    amqp_url: str,
    google: FakeGoogleTranslate,
    libre: FakeLibreTranslate,
    environment: dict[str, str],
) -> AsyncIterator[TranslateHarness]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
        harness = TranslateHarness(
            infrastructure.start_service, mongodb_uri, amqp_url, http, google, libre, environment
        )
        await harness.start()
        yield harness
        await harness.stop()


@pytest.fixture
async def conversation(harness: TranslateHarness) -> ConversationFixture:
    """A conversation that chat has."""
    conversation = ConversationFixture()
    harness.conversations[conversation.id] = conversation
    return conversation
