"""A load generator for fault tests: it records acknowledged messages and received events, and compares them.

Writers retry a message under the same id until it is acknowledged, as the panel and the widget do. Readers reconnect
with the last event id they received, as EventSource does.
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

from support.api import ApiClient, OperatorClient, VisitorClient
from support.sse import SseStream
from support.tenants import TenantFixture
from support.wait import wait_until

_RETRY_DELAY_SECONDS = 0.1


@dataclass(slots=True)
class AcknowledgedMessage:
    """A message that was answered with success and must therefore never be lost."""

    conversation_id: int
    message_id: int
    content: str
    seconds: float


@dataclass(slots=True)
class StreamReader:
    """An event stream that reconnects by itself; records the received events in order."""

    received: list[tuple[int, str, int | None]] = field(default_factory=list)
    """Position in the event log, event type, message id."""
    connects: int = 0
    resets: int = 0
    response: aiohttp.ClientResponse | None = None

    async def follow(self, api: ApiClient, path: str, params: dict[str, str]) -> None:
        last: str | None = None
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, ConnectionError):
                headers = {"Last-Event-ID": last} if last is not None else {}
                timeout = aiohttp.ClientTimeout(total=None, sock_read=20)
                async with api.http.get(
                    api.base_url + path, params=params, headers=headers, timeout=timeout
                ) as response:
                    if response.status == 200:
                        self.connects += 1
                        self.response = response
                        async for position, kind, message_id in _events(response):
                            last = position if position is not None else last
                            if kind == "reset":
                                self.resets += 1
                            elif position is not None and kind != "ready":
                                self.received.append((int(position), kind, message_id))
            await asyncio.sleep(_RETRY_DELAY_SECONDS)

    def messages(self) -> list[int]:
        return [
            message_id for _, kind, message_id in self.received if kind == "message.created" and message_id is not None
        ]


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str | None, str, int | None]]:
    async with SseStream(response) as stream:
        done = 0
        while True:
            while done < len(stream.events):
                event = stream.events[done]
                done += 1
                data = event.data.get("data", {})
                yield event.id, event.type, data.get("id") if event.type == "message.created" else None
            if stream.ended:
                return
            await stream.wait_for_activity()


@dataclass(slots=True)
class LoadGenerator:
    """Conversations between visitors and an operator, all writing concurrently until `stop`."""

    tenant: TenantFixture
    acknowledged: list[AcknowledgedMessage] = field(default_factory=list)
    rejected: Counter[int] = field(default_factory=Counter)
    conversations: list[tuple[VisitorClient, int]] = field(default_factory=list)
    pause: float = 0.2
    """Seconds that each writer pauses after a message: a constant load that leaves most of the machine idle."""
    panel: StreamReader = field(default_factory=StreamReader)
    widgets: list[StreamReader] = field(default_factory=list)
    _running: bool = True
    _writers: list[asyncio.Task[None]] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, conversations: int = 4) -> None:
        for _ in range(conversations):
            visitor, conversation_id = await self.tenant.assigned_conversation()
            self.conversations.append((visitor, conversation_id))
        api, operator = self.tenant.api, self.tenant.alex
        self._spawn(self.panel.follow(api, "/api/v1/operator/stream", {"token": operator.token}))
        for visitor, _ in self.conversations:
            reader = StreamReader()
            self.widgets.append(reader)
            self._spawn(reader.follow(api, "/api/v1/chat/events", visitor.credentials))
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

    async def _operator_writes(self, operator: OperatorClient, conversation_id: int) -> None:
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
                        self.acknowledged.append(AcknowledgedMessage(conversation_id, message["id"], content, seconds))
                        break
                    self.rejected[reply.status] += 1
                await asyncio.sleep(_RETRY_DELAY_SECONDS)
            await asyncio.sleep(self.pause)

    async def _visitor_writes(self, visitor: VisitorClient, conversation_id: int) -> None:
        number = 0
        while self._running:
            number += 1
            content = f"visitor {conversation_id} {number}"
            started = time.monotonic()
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, ConnectionError, AssertionError):
                    async with asyncio.timeout(15):
                        done = await visitor.send_message(content, message_id=content.replace(" ", "-"))
                    seconds = time.monotonic() - started
                    self.acknowledged.append(AcknowledgedMessage(conversation_id, done["message_id"], content, seconds))
                    break
                self.rejected[0] += 1
                await asyncio.sleep(_RETRY_DELAY_SECONDS)
            await asyncio.sleep(self.pause)

    async def wait_acknowledged(
        self, messages: int, *, timeout: float = 30.0, description: str = "writes continue"
    ) -> float:
        """Wait until this many more messages are acknowledged. Returns the seconds it took."""
        started = time.monotonic()
        expected = len(self.acknowledged) + messages
        await wait_until(lambda: len(self.acknowledged) >= expected, timeout=timeout, description=description)
        return time.monotonic() - started

    def disconnect_streams(self) -> None:
        """Close every reader's connection; the readers reconnect by themselves."""
        for reader in (self.panel, *self.widgets):
            if reader.response is not None:
                reader.response.close()

    async def stop(self) -> None:
        """Stop the writers after the message that each is sending."""
        self._running = False
        await asyncio.wait_for(asyncio.gather(*self._writers), 60)

    async def close(self) -> None:
        for task in (*self._tasks, *self._writers):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._writers, return_exceptions=True)

    async def check(self) -> dict[str, int]:
        """Compare acknowledged messages with the stored ones; fails on loss or duplicates. Returns the counts."""
        lost, duplicates = 0, 0
        for _, conversation_id in self.conversations:
            stored = await self._stored_messages(conversation_id)
            assert [message["seq"] for message in stored] == list(range(1, len(stored) + 1)), "seq has a gap"
            contents = Counter(message["content"] for message in stored)
            duplicates += sum(times - 1 for content, times in contents.items() if content.startswith(("op", "vis")))
            acknowledged = [one for one in self.acknowledged if one.conversation_id == conversation_id]
            ids = {message["id"] for message in stored}
            lost += sum(one.message_id not in ids for one in acknowledged)
        assert lost == 0, f"{lost} acknowledged messages lost"
        assert duplicates == 0, f"{duplicates} duplicate messages"
        return {"acknowledged": len(self.acknowledged), "lost": lost, "duplicates": duplicates}

    async def _stored_messages(self, conversation_id: int) -> list[dict[str, Any]]:
        stored: list[dict[str, Any]] = []
        after = 0
        while True:
            path = f"/conversations/{conversation_id}/messages"
            page = (await self.tenant.alex.get(path, after_seq=after, limit=100)).ok()["messages"]
            stored += page
            if len(page) < 100:
                return stored
            after = page[-1]["seq"]

    async def check_order(self) -> None:
        """Check that every visitor received the messages of their conversation in the order they are stored in."""
        for reader, (_, conversation_id) in zip(self.widgets, self.conversations, strict=True):
            stored = [message["id"] for message in await self._stored_messages(conversation_id)]
            received = reader.messages()
            assert received == [one for one in stored if one in set(received)], "not in the conversation's order"

    async def check_streams(self, timeout: float = 20.0) -> dict[str, int]:
        """Check that every reader received each of its messages exactly once and in order. Returns the counts."""
        deadline = time.monotonic() + timeout
        expected = {one.message_id for one in self.acknowledged}
        while not expected <= set(self.panel.messages()):
            missing = expected - set(self.panel.messages())
            assert time.monotonic() < deadline, f"the panel has not received {len(missing)} of {len(expected)} messages"
            await asyncio.sleep(0.05)
        for reader, (_, conversation_id) in zip(self.widgets, self.conversations, strict=True):
            own = {one.message_id for one in self.acknowledged if one.conversation_id == conversation_id}
            while not own <= set(reader.messages()):
                assert time.monotonic() < deadline, "a visitor has not received all messages"
                await asyncio.sleep(0.05)
        for reader in (self.panel, *self.widgets):
            times = Counter(reader.messages())
            assert not [one for one, count in times.items() if count > 1], "received twice"
            positions = [position for position, _, _ in reader.received]
            assert positions == sorted(positions), "out of order"
            assert reader.resets == 0
        return {"received": len(self.panel.messages()), "connects": self.panel.connects}
