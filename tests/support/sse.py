"""Reading server-sent events as a browser does (HTML Living Standard, 9.2)."""

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
class SentEvent:
    """One event as the browser hands it to its page."""

    type: str
    id: str | None
    data: dict[str, Any]


@dataclass(slots=True)
class EventStream:
    """An open stream; everything that came is kept, in order."""

    response: aiohttp.ClientResponse
    seen: list[SentEvent] = field(default_factory=list)
    ended: bool = False
    comments: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)
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
        event, lines, last_id = "message", [], None
        try:
            async for raw in self.response.content:
                line = raw.decode().rstrip("\r\n")
                if line.startswith(":"):
                    self.comments += 1
                elif line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("id: "):
                    last_id = line[4:]
                elif line.startswith("data: "):
                    lines.append(line[6:])
                elif not line and lines:
                    self.seen.append(SentEvent(event, last_id, json.loads("\n".join(lines))))
                    event, lines, last_id = "message", [], None
                    self._news.set()
        except aiohttp.ClientError:
            pass
        finally:
            self.ended = True
            self._news.set()

    async def news(self) -> None:
        """Until something came, or the stream ended, that was not there before."""
        known = len(self.seen)
        while len(self.seen) == known and not self.ended:
            self._news.clear()
            await self._news.wait()

    async def wait_any(self, within: float) -> None:
        """Until something more came, or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self.news()

    @property
    def last_id(self) -> str | None:
        return next((event.id for event in reversed(self.seen) if event.id is not None), None)

    def of(self, kind: str) -> list[SentEvent]:
        return [event for event in self.seen if event.type == kind]

    async def wait(
        self, kind: str, where: Callable[[SentEvent], bool] = lambda _: True, *, within: float = 10.0
    ) -> SentEvent:
        """The first event of a kind that fits, past or to come."""
        async with asyncio.timeout(within):
            while True:
                self._news.clear()
                for event in self.seen:
                    if event.type == kind and where(event):
                        return event
                assert not self.ended, f"the stream ended without {kind}; seen: {[e.type for e in self.seen]}"
                await self._news.wait()

    async def wait_end(self, *, within: float = 10.0) -> None:
        async with asyncio.timeout(within):
            while not self.ended:
                self._news.clear()
                await self._news.wait()
