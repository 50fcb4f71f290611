"""Asks the translate service for drafts."""

from __future__ import annotations

import asyncio

from parley.chat.timeouts import TEXT_TRANSLATION_RETRY_SECONDS, TEXT_TRANSLATION_TIMEOUT_SECONDS
from parley.common.errors import Unavailable
from parley.common.messaging import RpcClient
from parley.common.observability.logging import get_logger

log = get_logger(__name__)


class RpcTextTranslator:
    """A TextTranslator over RPC.

    Translate soon answers that there is no translation yet, and goes on: the same request finds the result later.
    """

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def __call__(self, site_id: int, text: str, target: str, source: str) -> str | None:
        try:
            async with asyncio.timeout(TEXT_TRANSLATION_TIMEOUT_SECONDS):
                while True:
                    reply = await self._rpc("translate", site_id=site_id, text=text, target=target, source=source)
                    if reply is None or reply["status"] != "failed":
                        return reply["content"] if reply is not None and reply["status"] == "done" else None
                    await asyncio.sleep(TEXT_TRANSLATION_RETRY_SECONDS)
        except (Unavailable, TimeoutError):
            log.info("text_translation_late", site=site_id)
            return None
