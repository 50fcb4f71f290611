"""Translation as a real process on the real MongoDB and RabbitMQ, with engines played by local servers.

The broker is the module's own: the queues have fixed names, and another translate on them would take the events.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from parley.common.auth.identity import HEADER, IdentitySigner, OperatorCaller, Permission
from parley.common.events import Actor, Event, new_event
from parley.common.events.conversations import ConversationCreated
from parley.common.events.messages import MessageCreated
from parley.common.events.schemas import ConversationView, MessageTranslation, VisitorView
from parley.common.messaging import AnswerQuestions, Ask, Bus, Listener
from parley.common.messaging.topology import EVENTS
from parley.common.runtime.clock import utc_now
from parley_dev.servers import RabbitServer
from support.google_translate import GoogleTranslate
from support.libretranslate import LibreTranslate
from support.wait import until

SECRET = "translate-tests-identity-93b1f0c7d24e48aa"
EVERYTHING = frozenset(Permission)
Answer = tuple[int, dict[str, Any]]


def fresh_id() -> int:
    """An id that no other test has."""
    return random.randrange(10**6, 10**12)


@dataclass
class Talk:
    """A conversation as chat would have it, and the people in it."""

    tenant_id: int = field(default_factory=fresh_id)
    site_id: int = field(default_factory=fresh_id)
    id: int = field(default_factory=fresh_id)
    session: str = field(default_factory=lambda: f"sess_{secrets.token_hex(16)}")
    browser: str | None = None
    last_seq: int = 0

    def operator(self, granted: frozenset[Permission] = EVERYTHING, language: str = "en") -> OperatorCaller:
        return OperatorCaller(fresh_id(), self.tenant_id, "Alex", {self.site_id: granted}, language=language)

    def view(self) -> ConversationView:
        visitor = VisitorView(session_id=self.session, language=self.browser)
        now = utc_now()
        return ConversationView(
            id=self.id, site_id=self.site_id, mode="operator", visitor=visitor, created_at=now, updated_at=now
        )

    def about(self) -> dict[str, Any]:
        return {
            "tenant_id": self.tenant_id,
            "site_id": self.site_id,
            "conversation_id": self.id,
            "session": self.session,
        }

    def created(self) -> Event:
        data = ConversationCreated(mode="operator", conversation=self.view())
        return new_event(data, **self.about(), actor=Actor(kind="visitor"))

    def message(
        self,
        content: str,
        role: str = "visitor",
        translation: MessageTranslation | None = None,
        hint: str | None = "translate",
    ) -> Event:
        self.last_seq += 1
        data = MessageCreated(
            id=fresh_id(),
            conversation_id=self.id,
            seq=self.last_seq,
            role=role,
            content=content,
            translation=translation,
            created_at=utc_now(),
            conversation=self.view(),
        )
        return new_event(data, **self.about(), hint=hint)


@dataclass
class House:
    """One translate process, the engines it calls, and the rest of Parley as far as it hears and asks it."""

    mongodb_uri: str
    amqp_url: str
    http: aiohttp.ClientSession
    google: GoogleTranslate
    libre: LibreTranslate
    environment: dict[str, str]
    prefix: str = field(default_factory=lambda: f"t{secrets.token_hex(6)}")
    heard: list[Event] = field(default_factory=list)
    known: dict[int, Talk] = field(default_factory=dict)
    site_options: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None
    _signer: IdentitySigner = field(default_factory=lambda: IdentitySigner(SECRET))

    async def start(self) -> None:
        self._bus, self.ask = Bus(self.amqp_url), Ask("translate")
        ears = Listener("ears", EVENTS, ["#"], self._hear)
        chat = AnswerQuestions("chat", {"conversation": self._conversation, "site": self._site})
        for session in (ears, chat, self.ask):
            self._bus.add(session)
        await self._bus.start()
        await until(lambda: self._bus.fault() is None)
        await self.run()

    async def run(self) -> None:
        """Start the process, and wait until it is ready."""
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
            for one in sockets:
                one.bind(("127.0.0.1", 0))
            self.port, self.internal_port = (one.getsockname()[1] for one in sockets)
        own = {
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
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "parley.translate", env={**os.environ, **own, **self.environment}
        )
        await until(self._is_ready, within=90, what="translate to be ready")

    async def _is_ready(self) -> bool:
        try:
            async with self.http.get(f"http://127.0.0.1:{self.internal_port}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 30)

    async def stop(self) -> None:
        await self.end()
        await self._bus.stop()
        async with AsyncMongoClient[dict[str, Any]](self.mongodb_uri) as client:
            await client.drop_database(f"{self.prefix}_translate")

    async def _hear(self, event: Event) -> None:
        self.heard.append(event)

    async def _conversation(self, body: dict[str, Any]) -> dict[str, Any] | None:
        self.asked.append(body["conversation_id"])
        talk = self.known.get(body["conversation_id"])
        if talk is None:
            return None
        return {"tenant_id": talk.tenant_id, "site_id": talk.site_id, "session": talk.session}

    async def _site(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"tenant_id": 1, "name": "A site", "translation": self.site_options.get(body["site_id"])}

    async def call(self, path: str, caller: OperatorCaller, body: Any, key: str | None = None) -> Answer:
        headers = {HEADER: self._signer.sign(caller)} | ({"Idempotency-Key": key} if key else {})
        url = f"http://127.0.0.1:{self.port}/api/v1/operator/translation/{path}"
        async with self.http.post(url, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def toggle(self, caller: OperatorCaller, talk: Talk, enabled: bool = True) -> Answer:
        return await self.call("toggle", caller, {"conversation_id": talk.id, "enabled": enabled})

    async def set_lang(self, caller: OperatorCaller, talk: Talk, lang: str, **more: str) -> Answer:
        return await self.call("set-lang", caller, {"conversation_id": talk.id, "lang": lang, **more})

    async def translated(self, lang: str | None = "de", operator_lang: str = "en", **about: Any) -> Talk:
        """A conversation that is translated."""
        talk = Talk(**about)
        self.known[talk.id] = talk
        alex = talk.operator(language=operator_lang)
        if lang is not None:
            await self.set_lang(alex, talk, lang)
        code, answer = await self.toggle(alex, talk)
        assert code == 200, answer
        return talk

    async def publish(self, *events: Event) -> None:
        await self._bus.publish([event.to_document() for event in events])

    def of(self, talk: Talk, kind: str) -> list[Event]:
        return [event for event in self.heard if event.type == kind and event.conversation_id == talk.id]

    async def translation_of(self, event: Event, within: float = 30.0) -> dict[str, Any]:
        """What message.translated said of a message."""

        def found() -> Event | None:
            mine = (
                one for one in self.heard if one.type == "message.translated" and one.data["id"] == event.data["id"]
            )
            return next(mine, None)

        told = await until(found, within=within, what="message.translated")
        assert told is not None
        translation: dict[str, Any] = told.data["translation"]
        return translation

    async def metric(self, name: str) -> float:
        async with self.http.get(f"http://127.0.0.1:{self.internal_port}/metrics") as response:
            lines = (await response.text()).splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
        async with AsyncMongoClient[dict[str, Any]](self.mongodb_uri, tz_aware=True) as client:
            yield client[f"{self.prefix}_translate"]


@pytest.fixture(scope="session")
async def own_broker(run_directory: Path) -> AsyncIterator[RabbitServer]:
    server = RabbitServer(run_directory / "rabbitmq-translate")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="module")
async def google() -> AsyncIterator[GoogleTranslate]:
    server = await GoogleTranslate().start()
    yield server
    await server.stop()


@pytest.fixture(scope="module")
async def libre() -> AsyncIterator[LibreTranslate]:
    server = await LibreTranslate().start()
    yield server
    await server.stop()


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """What a module's process reads besides."""
    return {}


@pytest.fixture(scope="module")
async def house(
    mongodb_uri: str,
    own_broker: RabbitServer,
    google: GoogleTranslate,
    libre: LibreTranslate,
    environment: dict[str, str],
) -> AsyncIterator[House]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
        house = House(mongodb_uri, own_broker.uri, http, google, libre, environment)
        await house.start()
        yield house
        await house.stop()


@pytest.fixture
async def talk(house: House) -> Talk:
    """A conversation that chat knows of."""
    talk = Talk()
    house.known[talk.id] = talk
    return talk
