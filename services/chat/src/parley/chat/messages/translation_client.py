"""Asks the translate service before an operator's message is sent. Without a reply in time, it is sent as written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from parley.chat.conversations.model import Conversation
from parley.chat.timeouts import TRANSLATION_TIMEOUT_SECONDS
from parley.common.errors import Unavailable
from parley.common.events.schemas import MessageTranslation
from parley.common.messaging import RpcClient
from parley.common.observability.logging import get_logger

log = get_logger(__name__)


class RpcMessageTranslator:
    """A MessageTranslator over RPC."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def __call__(
        self, conversation: Conversation, text: str, labels: Sequence[str] = ()
    ) -> MessageTranslation | None:
        state = conversation.translation
        if not state.enabled or state.lang is None or state.lang == state.operator_lang or not text.strip():
            return None
        translated: Sequence[dict[str, Any] | None] = (None,)
        try:
            async with asyncio.timeout(TRANSLATION_TIMEOUT_SECONDS):
                translated = await asyncio.gather(*(self._translate(conversation, one) for one in (text, *labels)))
        except (Unavailable, TimeoutError):
            log.info("translation_late", conversation=conversation.id)
        reply = translated[0]
        if reply is None:
            return MessageTranslation(lang=state.lang, status="failed")
        return MessageTranslation(
            lang=reply["lang"],
            content=reply["content"],
            status=reply["status"],
            # A label without a translation stays as it is.
            quick_replies=tuple(
                (one and one["content"]) or label for one, label in zip(translated[1:], labels, strict=True)
            ),
        )

    async def _translate(self, conversation: Conversation, text: str) -> dict[str, Any] | None:
        state = conversation.translation
        return await self._rpc(
            "translate",
            site_id=conversation.site_id,
            conversation_id=conversation.id,
            text=text,
            target=state.lang,
            source=state.operator_lang,
        )
