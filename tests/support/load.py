"""Clients that work on while things break: they log what was acknowledged and what they saw, and a checker compares.

Writers retry a message under its own id until it is acknowledged, as the panel and the widget do; readers reconnect
with the last id they saw, as EventSource does.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from support.api import Api, Operator, Visitor
from support.sse import EventStream
from support.tenants import World
from support.wait import until

_AGAIN_SECONDS = 0.1


@dataclass(slots=True)
class Acknowledged:
    """A message that was answered with success: it must never be lost."""

    conversation_id: int
    message_id: int
    content: str
    seconds: float


@dataclass(slots=True)
class Reader:
    """A live stream held open across cuts: the events' ids and what they told, in order."""

    seen: list[tuple[int, str, int | None]] = field(default_factory=list)
    """Position in the log, event type, message id."""
    connects: int = 0
    resets: int = 0
    response: aiohttp.ClientResponse | None = None

    async def follow(self, api: Api, path: str, params: dict[str, str]) -> None:
        last: str | None = None
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, ConnectionError):
                headers = {"Last-Event-ID": last} if last is not None else {}
                timeout = aiohttp.ClientTimeout(total=None, sock_read=20)
                async with api.http.get(api.base + path, params=params, headers=headers, timeout=timeout) as response:
                    if response.status == 200:
                        self.connects += 1
                        self.response = response
                        async for position, kind, message_id in _events(response):
                            last = position if position is not None else last
                            if kind == "reset":
                                self.resets += 1
                            elif position is not None and kind != "ready":
                                self.seen.append((int(position), kind, message_id))
            await asyncio.sleep(_AGAIN_SECONDS)

    def messages(self) -> list[int]:
        return [message_id for _, kind, message_id in self.seen if kind == "message.created" and message_id is not None]


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str | None, str, int | None]]:
    async with EventStream(response) as stream:
        done = 0
        while True:
            while done < len(stream.seen):
                event = stream.seen[done]
                done += 1
                data = event.data.get("data", {})
                yield event.id, event.type, data.get("id") if event.type == "message.created" else None
            if stream.ended:
                return
            await stream.news()


@dataclass(slots=True)
class Load:
    """Conversations between visitors and an operator, all writing at once, for as long as `running`."""

    world: World
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    conversations: list[tuple[Visitor, int]] = field(default_factory=list)
    pause: float = 0.0
    """Seconds that each writer rests after a message."""
    panel: Reader = field(default_factory=Reader)
    widgets: list[Reader] = field(default_factory=list)
    _running: bool = True
    _writers: list[asyncio.Task[None]] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, conversations: int = 4) -> None:
        for _ in range(conversations):
            visitor, conversation_id = await self.world.taken()
            self.conversations.append((visitor, conversation_id))
        api, operator = self.world.api, self.world.alex
        self._spawn(self.panel.follow(api, "/api/v1/operator/stream", {"token": operator.token}))
        for visitor, _ in self.conversations:
            reader = Reader()
            self.widgets.append(reader)
            self._spawn(reader.follow(api, "/api/v1/chat/events", visitor.names))
        deadline = time.monotonic() + 15
        while not all(reader.connects for reader in (self.panel, *self.widgets)):
            assert time.monotonic() < deadline, "streams did not open"
            await asyncio.sleep(0.02)
        self._writers = [
            asyncio.create_task(work)
            for visitor, conversation_id in self.conversations
            for work in (
                self._operator_writes(operator, conversation_id),
                self._visitor_writes(visitor, conversation_id),
            )
        ]

    def _spawn(self, work: object) -> None:
        self._tasks.append(asyncio.create_task(work))  # type: ignore[arg-type]

    async def _operator_writes(self, operator: Operator, conversation_id: int) -> None:
        number = 0
        while self._running:
            number += 1
            content = f"operator {conversation_id} {number}"
            started = time.monotonic()
            body = {"conversation_id": conversation_id, "content": content}
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, ConnectionError):
                    async with asyncio.timeout(15):
                        reply = await operator.post(
                            "/operator/message", body, Idempotency_Key=content.replace(" ", "-")
                        )
                    if reply.status == 200:
                        message = reply.body["message"]
                        seconds = time.monotonic() - started
                        self.acknowledged.append(Acknowledged(conversation_id, message["id"], content, seconds))
                        break
                    self.refused[reply.status] += 1
                await asyncio.sleep(_AGAIN_SECONDS)
            await asyncio.sleep(self.pause)

    async def _visitor_writes(self, visitor: Visitor, conversation_id: int) -> None:
        number = 0
        while self._running:
            number += 1
            content = f"visitor {conversation_id} {number}"
            started = time.monotonic()
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, ConnectionError, AssertionError):
                    async with asyncio.timeout(15):
                        done = await visitor.say(content, message_id=content.replace(" ", "-"))
                    seconds = time.monotonic() - started
                    self.acknowledged.append(Acknowledged(conversation_id, done["message_id"], content, seconds))
                    break
                self.refused[0] += 1
                await asyncio.sleep(_AGAIN_SECONDS)
            await asyncio.sleep(self.pause)

    async def progress(self, messages: int, *, within: float = 30.0, what: str = "writes go on") -> float:
        """Wait until so many more messages are acknowledged. Returns the seconds it took."""
        started = time.monotonic()
        goal = len(self.acknowledged) + messages
        await until(lambda: len(self.acknowledged) >= goal, within=within, what=what)
        return time.monotonic() - started

    def cut_streams(self) -> None:
        """Cut every reader's connection; they come back by themselves."""
        for reader in (self.panel, *self.widgets):
            if reader.response is not None:
                reader.response.close()

    async def stop(self) -> None:
        """Let every writer finish what it is at."""
        self._running = False
        await asyncio.wait_for(asyncio.gather(*self._writers), 60)

    async def close(self) -> None:
        for task in (*self._tasks, *self._writers):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._writers, return_exceptions=True)

    async def check(self) -> dict[str, int]:
        """Hold what was acknowledged and seen against what is kept. Returns the figures."""
        lost, doubled = 0, 0
        for _, conversation_id in self.conversations:
            kept = await self._kept(conversation_id)
            assert [message["seq"] for message in kept] == list(range(1, len(kept) + 1)), "seq has a gap"
            contents = Counter(message["content"] for message in kept)
            doubled += sum(times - 1 for content, times in contents.items() if content.startswith(("op", "vis")))
            wanted = [one for one in self.acknowledged if one.conversation_id == conversation_id]
            ids = {message["id"] for message in kept}
            lost += sum(one.message_id not in ids for one in wanted)
        assert lost == 0, f"{lost} acknowledged messages lost"
        assert doubled == 0, f"{doubled} messages doubled"
        return {"acknowledged": len(self.acknowledged), "lost": lost, "doubled": doubled}

    async def _kept(self, conversation_id: int) -> list[dict[str, Any]]:
        kept: list[dict[str, Any]] = []
        after = 0
        while True:
            path = f"/conversations/{conversation_id}/messages"
            found = (await self.world.alex.get(path, after_seq=after, limit=100)).ok()["messages"]
            kept += found
            if len(found) < 100:
                return kept
            after = found[-1]["seq"]

    async def check_streams(self, within: float = 20.0) -> dict[str, int]:
        """Every reader saw every message of its own once: nothing missing, nothing applied twice."""
        deadline = time.monotonic() + within
        everything = {one.message_id for one in self.acknowledged}
        while not everything <= set(self.panel.messages()):
            missing = everything - set(self.panel.messages())
            assert time.monotonic() < deadline, f"the panel misses {len(missing)} of {len(everything)} messages"
            await asyncio.sleep(0.05)
        for reader, (_, conversation_id) in zip(self.widgets, self.conversations, strict=True):
            own = {one.message_id for one in self.acknowledged if one.conversation_id == conversation_id}
            while not own <= set(reader.messages()):
                assert time.monotonic() < deadline, "a visitor misses messages"
                await asyncio.sleep(0.05)
        for reader in (self.panel, *self.widgets):
            times = Counter(reader.messages())
            assert not [one for one, count in times.items() if count > 1], "seen twice"
            positions = [position for position, _, _ in reader.seen]
            assert positions == sorted(positions), "out of order"
            assert reader.resets == 0
        return {"seen": len(self.panel.messages()), "connects": self.panel.connects}
