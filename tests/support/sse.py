"""A client for server-sent events that parses as a browser does (HTML Living Standard, 9.2)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event as a browser dispatches it."""

    type: str
    id: str | None
    data: dict[str, Any]


@dataclass(slots=True)
class SseStream:
    """An open stream. Keeps all received events in order."""

    response: aiohttp.ClientResponse
    events: list[SseEvent] = field(default_factory=list)
    ended: bool = False
    comments: int = 0
    _activity: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        event_type, data_lines, event_id = "message", [], None
        try:
            async for raw in self.response.content:
                line = raw.decode().rstrip("\r\n")
                if line.startswith(":"):
                    self.comments += 1
                elif line.startswith("event: "):
                    event_type = line[7:]
                elif line.startswith("id: "):
                    event_id = line[4:]
                elif line.startswith("data: "):
                    data_lines.append(line[6:])
                elif not line and data_lines:
                    self.events.append(SseEvent(event_type, event_id, json.loads("\n".join(data_lines))))
                    event_type, data_lines, event_id = "message", [], None
                    self._activity.set()
        except aiohttp.ClientError:
            pass
        finally:
            self.ended = True
            self._activity.set()

    async def wait_for_activity(self) -> None:
        """Wait for the next event or the end of the stream."""
        received = len(self.events)
        while len(self.events) == received and not self.ended:
            self._activity.clear()
            await self._activity.wait()

    async def wait_for_activity_within(self, timeout: float) -> None:
        """Wait for the next event or the end of the stream, for at most `within` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self.wait_for_activity()

    @property
    def last_event_id(self) -> str | None:
        return next((event.id for event in reversed(self.events) if event.id is not None), None)

    def of_type(self, event_type: str) -> list[SseEvent]:
        return [event for event in self.events if event.type == event_type]

    async def wait_for(
        self, event_type: str, predicate: Callable[[SseEvent], bool] = lambda _: True, *, timeout: float = 10.0
    ) -> SseEvent:
        """Return the first event of a type that matches, already received or awaited."""
        async with asyncio.timeout(timeout):
            while True:
                self._activity.clear()
                for event in self.events:
                    if event.type == event_type and predicate(event):
                        return event
                received = [event.type for event in self.events]
                assert not self.ended, f"the stream ended without {event_type}; received: {received}"
                await self._activity.wait()

    async def wait_until_ended(self, *, timeout: float = 10.0) -> None:
        async with asyncio.timeout(timeout):
            while not self.ended:
                self._activity.clear()
                await self._activity.wait()
