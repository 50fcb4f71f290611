"""A reply's stream says something while a model thinks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from parley.chat.ai.model import ReplyOutcome
from parley.chat.widget.handlers import with_pauses


async def test_a_silent_reply_is_interrupted_by_pauses_and_loses_nothing() -> None:
    thought = asyncio.Event()

    async def parts() -> AsyncIterator[str | ReplyOutcome]:
        yield "one"
        await thought.wait()
        yield "two"

    seen: list[object] = []
    async for part in with_pauses(parts(), 0.01):
        seen.append(part)
        if seen.count(None) == 2:
            thought.set()
    assert [part for part in seen if part is not None] == ["one", "two"]
    assert seen[:3] == ["one", None, None]


async def test_a_client_that_leaves_ends_the_wait() -> None:
    ended = asyncio.Event()

    async def parts() -> AsyncIterator[str | ReplyOutcome]:
        try:
            await asyncio.Event().wait()
            yield "never"
        finally:
            ended.set()

    pauses = with_pauses(parts(), 0.01)
    assert await anext(pauses) is None
    await pauses.aclose()
    assert ended.is_set()
