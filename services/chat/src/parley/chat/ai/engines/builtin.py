"""The engine that needs no account: it answers with passages of the site's knowledge, word for word."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

from parley.chat.ai.engine import AiEngine
from parley.chat.ai.model import Prompt, ReplyMetadata
from parley.chat.retrieval.excerpt import find_excerpt

_CHUNK = re.compile(r"\S+\s*")


class BuiltinEngine(AiEngine):
    """Replies with the passages that answer the question, or with the fallback text. Costs no tokens."""

    name = "builtin"

    async def answer(self, prompt: Prompt, metadata: ReplyMetadata) -> AsyncGenerator[str, None]:
        metadata.sources = [found.passage for found in prompt.findings.answers]
        metadata.knew_answer = bool(metadata.sources)
        excerpts = [find_excerpt(passage, prompt.question) for passage in metadata.sources]
        for chunk in _CHUNK.findall("\n\n".join(excerpts) or prompt.fallback_text):
            yield chunk
