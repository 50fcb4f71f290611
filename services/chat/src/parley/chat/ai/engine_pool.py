"""The engines that sites are answered by: the built-in one, the installation's endpoint, and those of sites' own.

A client of a site's own is made when it is first needed and kept for the next answer, so many of them and no more. One
whose site has changed is taken for no further answer, and closed when the answers under way through it have ended.
"""

from __future__ import annotations

import asyncio
import importlib
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from parley.chat.ai.engines.builtin import BuiltinEngine
from parley.chat.ai.site_keys import KeyUnreadable, SiteKeys
from parley.chat.ai.ssrf_guard import Addresses
from parley.chat.conversations.ports import Engine, EngineFailed, Prompt, SiteSettings, Verdict
from parley.chat.settings import ChatSettings
from parley.common.events import Event
from parley.common.runtime.tasks import TaskGroup

if TYPE_CHECKING:
    from parley.chat.ai.engines.openai import Defaults, OpenAiEngine

MOST_CLIENTS = 128
"""Sites whose clients a process keeps; the one that was used the longest ago goes first."""

_NO_KEY = "none"
"""Sent where a site's endpoint needs no key: the client insists on one, and the installation's is not for it."""

_INSTALLATION = 0
"""In place of a site's id: the installation's own endpoint."""

Place = tuple[str | None, str | None]
"""What a client was made for: a site's address and sealed key."""


@dataclass(slots=True)
class _Held:
    """A client, for what it was made, and how many answers are under way through it."""

    place: Place
    engine: OpenAiEngine
    answers: int = 0
    retired: bool = False


class SiteEngines:
    """The domain's Engines, and an Engine itself: the one named `openai`, wherever a site has it."""

    name = "engines"

    def __init__(self, settings: ChatSettings, keys: SiteKeys, addresses: Addresses, most: int = MOST_CLIENTS) -> None:
        self.builtin: Engine = BuiltinEngine()
        self._settings = settings
        self._keys = keys
        self._addresses = addresses
        self._most = most
        self._held: OrderedDict[int, _Held] = OrderedDict()
        self._closing = TaskGroup("ai-clients")

    def of(self, site: SiteSettings) -> tuple[str, Engine]:
        if site.engine == "openai" and (site.ai.own_endpoint or self._settings.openai_api_key is not None):
            return "openai", self
        return "builtin", self.builtin

    async def answer(self, prompt: Prompt, verdict: Verdict) -> AsyncGenerator[str, None]:
        held = await self._take(prompt.site)
        try:
            async with aclosing(held.engine.answer(prompt, verdict)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            held.answers -= 1
            self._close_unused(held)

    async def changed(self, event: Event) -> None:
        """A site changed, or is gone: its client is not used again."""
        self._retire(event.site_id)

    def forget(self) -> None:
        """Some changes may have gone unheard."""
        for site_id in [site_id for site_id in self._held if site_id != _INSTALLATION]:
            self._retire(site_id)

    async def start(self) -> None:
        """Clients are made when they are needed."""

    async def stop(self) -> None:
        for site_id in list(self._held):
            self._retire(site_id)
        await self._closing.stop()

    def fault(self) -> str | None:
        """An endpoint that is away costs its site's visitors a sentence; everything else works."""
        return None

    async def _take(self, site: SiteSettings) -> _Held:
        """The client for a site's answer, counted as in use. Raises EngineFailed."""
        own = site.ai.own_endpoint
        site_id, place = (site.id, (site.ai.base_url, site.ai.sealed_key)) if own else (_INSTALLATION, (None, None))
        # Imported where it is used: it is large, and most of a small installation's memory would be it; and in a
        # thread, since it takes its time.
        module = await asyncio.to_thread(importlib.import_module, "parley.chat.ai.engines.openai")
        held = self._held.get(site_id)
        if held is None or held.place != place:
            self._retire(site_id)
            held = self._held[site_id] = _Held(place, self._made(module, site, place))
        self._held.move_to_end(site_id)
        held.answers += 1
        while len(self._held) > self._most:
            self._retire(next(iter(self._held)))
        return held

    def _made(self, module: ModuleType, site: SiteSettings, place: Place) -> OpenAiEngine:
        settings = self._settings
        base_url, sealed = place
        defaults: Defaults = module.Defaults(
            settings.openai_model, settings.openai_temperature, settings.openai_seconds, settings.openai_answer_tokens
        )
        try:
            key = self._keys.open(site.id, sealed) if sealed is not None else None
        except KeyUnreadable as exc:
            raise EngineFailed(str(exc)) from None
        if key is None and base_url is None and settings.openai_api_key is not None:
            key = settings.openai_api_key.get_secret_value()
        engine: OpenAiEngine = module.OpenAiEngine(
            defaults,
            base_url=base_url or settings.openai_url,
            api_key=key or _NO_KEY,
            http=module.public_client(self._addresses) if base_url is not None else None,
        )
        return engine

    def _retire(self, site_id: int) -> None:
        held = self._held.pop(site_id, None)
        if held is not None:
            held.retired = True
            self._close_unused(held)

    def _close_unused(self, held: _Held) -> None:
        if held.retired and not held.answers:
            self._closing.spawn(held.engine.close(), "close-ai-client")
