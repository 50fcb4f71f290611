"""The engine that needs no account: it answers from the site's knowledge entries."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

from parley.chat.ai.engine import AiEngine
from parley.chat.ai.model import Prompt, ReplyMetadata

MIN_SCORE = 0.6
"""The text score from which on a knowledge entry counts as an answer."""

_CHUNK = re.compile(r"\S+\s*")


class BuiltinEngine(AiEngine):
    """Replies with the answer of the best matching entry, or with the fallback text. Costs no tokens."""

    name = "builtin"

    async def answer(self, prompt: Prompt, metadata: ReplyMetadata) -> AsyncGenerator[str, None]:
        best = max(prompt.passages, key=lambda passage: passage.score, default=None)
        if best is not None and best.score >= MIN_SCORE:
            text = best.answer
        else:
            metadata.knew_answer = False
            text = prompt.fallback_text
        for chunk in _CHUNK.findall(text):
            yield chunk
