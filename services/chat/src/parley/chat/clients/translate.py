"""The translate service, asked before an operator's message goes out; late or away, the message goes out as it is."""

from __future__ import annotations

import asyncio

from parley.chat.conversations.model import Conversation
from parley.common.errors import Unavailable
from parley.common.events.schemas import MessageTranslation
from parley.common.messaging import Ask
from parley.common.observability.logging import logger

log = logger(__name__)

DEADLINE_SECONDS = 2.0
"""For how long an operator's message waits for its translation."""


class AskTranslator:
    """The domain's Translator, by a question over the bus."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def __call__(self, conversation: Conversation, text: str) -> MessageTranslation | None:
        wanted = conversation.translation
        if not wanted.enabled or wanted.lang is None or wanted.lang == wanted.operator_lang or not text.strip():
            return None
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                found = await self._ask(
                    "translate",
                    site_id=conversation.site_id,
                    conversation_id=conversation.id,
                    text=text,
                    target=wanted.lang,
                    source=wanted.operator_lang,
                )
        except (Unavailable, TimeoutError):
            log.info("translation_late", conversation=conversation.id)
            found = None
        if found is None:
            return MessageTranslation(lang=wanted.lang, status="failed")
        return MessageTranslation(lang=found["lang"], content=found["content"], status=found["status"])
