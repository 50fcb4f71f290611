"""The engine `openai`: any endpoint with OpenAI's chat completions API, of the installation or of a site's own.

Each site with its own endpoint or key has a client of its own; all others share the installation's.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from types import ModuleType
from typing import TYPE_CHECKING

from parley.chat.ai.client_pool import Endpoint, SiteClientPool
from parley.chat.ai.engine import AiEngine, AiEngineError
from parley.chat.ai.engines.context import EngineContext
from parley.chat.ai.metering import Meter
from parley.chat.ai.model import Prompt, ReplyMetadata, WritingTask
from parley.chat.ai.site_keys import SiteKeyUnreadable
from parley.chat.retrieval.ports import EmbeddingFailed
from parley.chat.sites.engine_check import EngineCheck
from parley.chat.sites.site_settings import SiteSettings

if TYPE_CHECKING:
    from parley.chat.ai.engines.openai_client import OpenAiClient, OpenAiDefaults

MAX_CLIENTS = 128
_MAX_EMBEDDED_TEXTS = 64
_MAX_EMBEDDED_CHARACTERS = 6000

_NO_KEY = "none"
"""Sent to a site's endpoint that has no key: the SDK requires one, and must not fall back to the installation's."""


class OpenAiEngine(AiEngine):
    name = "openai"
    can_call_tools = True
    can_write = True

    def __init__(self, context: EngineContext, max_clients: int = MAX_CLIENTS) -> None:
        self._context = context
        self._clients: SiteClientPool[OpenAiClient] = SiteClientPool(self._create_client, max_clients)
        self._client_module: ModuleType | None = None

    def is_available_for(self, site: SiteSettings) -> bool:
        return site.ai.has_own_endpoint or self._context.settings.openai_api_key is not None

    async def answer(self, prompt: Prompt, metadata: ReplyMetadata) -> AsyncGenerator[str, None]:
        await self._import_client()
        with self._clients.borrow(prompt.site) as client:
            async with aclosing(client.answer(prompt, metadata)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def write(self, task: WritingTask) -> str:
        await self._import_client()
        with self._clients.borrow(task.site) as client:
            return await client.write(task)

    async def embed(self, site: SiteSettings, texts: Sequence[str], meter: Meter) -> Sequence[Sequence[float]]:
        """A vector for each text. Raises EmbeddingFailed, CapReached."""
        if not (self.is_available_for(site) and site.ai.embedding_model):
            raise EmbeddingFailed("the site has no endpoint or model for embeddings")
        await self._import_client()
        try:
            with self._clients.borrow(site) as client:
                rows: list[list[float]] = []
                for start in range(0, len(texts), _MAX_EMBEDDED_TEXTS):
                    batch = [text[:_MAX_EMBEDDED_CHARACTERS] for text in texts[start : start + _MAX_EMBEDDED_TEXTS]]
                    rows += await client.embed(site.ai.embedding_model, batch, meter, site.prices)
                return rows
        except AiEngineError as exc:
            raise EmbeddingFailed(str(exc)) from exc

    async def check(self, site: SiteSettings, at: datetime) -> EngineCheck:
        """What the site's endpoint can do. Raises AiEngineError if its key cannot be decrypted."""
        await self._import_client()
        probe_module = await asyncio.to_thread(importlib.import_module, "parley.chat.ai.engines.openai_probe")
        own = site.ai.has_own_endpoint
        endpoint = Endpoint(site.ai.base_url, site.ai.encrypted_key) if own else Endpoint()
        # A client of its own: it has learned nothing yet, and may be of settings that are not stored.
        client = self._create_client(replace(site, engine_checks={}), endpoint)
        try:
            seconds = site.ai.seconds or self._context.settings.openai_seconds
            result: EngineCheck = await probe_module.OpenAiProbe(client, replace(site, engine_checks={}), seconds).run(
                at
            )
            return result
        finally:
            await client.close()

    async def _import_client(self) -> None:
        """Import the SDK on first use, as it is most of a small installation's memory; in a thread, as it is slow."""
        if self._client_module is None:
            self._client_module = await asyncio.to_thread(
                importlib.import_module, "parley.chat.ai.engines.openai_client"
            )

    def invalidate(self, site_id: int) -> None:
        self._clients.invalidate(site_id)

    def clear(self) -> None:
        self._clients.clear()

    async def stop(self) -> None:
        await self._clients.stop()

    def _create_client(self, site: SiteSettings, endpoint: Endpoint) -> OpenAiClient:
        """Raises AiEngineError."""
        assert self._client_module is not None
        settings = self._context.settings
        defaults: OpenAiDefaults = self._client_module.OpenAiDefaults(
            settings.openai_model, settings.openai_temperature, settings.openai_seconds, settings.openai_answer_tokens
        )
        try:
            encrypted = endpoint.encrypted_key
            key = self._context.site_keys.decrypt(site.id, encrypted) if encrypted is not None else None
        except SiteKeyUnreadable as exc:
            reason = "The API key of this site cannot be decrypted. Set it again."
            raise AiEngineError(str(exc), reason, "key_unreadable") from None
        if key is None and endpoint.base_url is None and settings.openai_api_key is not None:
            key = settings.openai_api_key.get_secret_value()
        own_endpoint = endpoint.base_url is not None
        client: OpenAiClient = self._client_module.OpenAiClient(
            defaults,
            base_url=endpoint.base_url or settings.openai_url,
            api_key=key or _NO_KEY,
            ssrf_guard=self._context.ssrf_guard if own_endpoint else None,
        )
        return client
