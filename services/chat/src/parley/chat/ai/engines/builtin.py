"""The engine that needs no account: it answers from the site's knowledge entries, and says so when it cannot."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

from parley.chat.conversations.ports import Prompt, Verdict

ENOUGH = 0.6
"""The text score below which an entry is not taken for an answer."""

_PIECE = re.compile(r"\S+\s*")


class BuiltinEngine:
    """An Engine over what the site's team has written down."""

    async def answer(self, prompt: Prompt, verdict: Verdict) -> AsyncGenerator[str, None]:
        best = max(prompt.passages, key=lambda passage: passage.score, default=None)
        if best is not None and best.score >= ENOUGH:
            text = best.answer
        else:
            verdict.knew = False
            text = prompt.does_not_know
        for piece in _PIECE.findall(text):
            yield piece
