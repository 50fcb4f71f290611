"""A reply while it is generated, and its subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from parley.chat.messages.model import Message


@dataclass(slots=True)
class AiReplyStream:
    """The chunks so far. Subscribers may join at any time, and get all chunks from the first one."""

    chunks: list[str] = field(default_factory=list)
    message: Message | None = None
    """The stored message, after `finish`; None if the reply was discarded."""
    done: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        return "".join(self.chunks)

    def append(self, chunk: str) -> None:
        self.chunks.append(chunk)
        self._notify()

    def finish(self, message: Message | None) -> None:
        self.message, self.done = message, True
        self._notify()

    async def subscribe(self) -> AsyncIterator[str]:
        """Yield every chunk, until the reply is finished."""
        position = 0
        while True:
            changed = self._changed
            while position < len(self.chunks):
                position += 1
                yield self.chunks[position - 1]
            if self.done:
                return
            await changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
