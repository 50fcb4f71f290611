"""Sites' translation options, read from chat over RPC and cached until the site changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from parley.common.caching import InvalidatingCache
from parley.common.errors import Unavailable
from parley.common.events import Event
from parley.common.messaging import RpcClient
from parley.common.observability.logging import get_logger
from parley.translate.site_options import SiteOptions
from parley.translate.timeouts import (
    SITE_OPTIONS_FALLBACK_TTL_SECONDS,
    SITE_OPTIONS_TIMEOUT_SECONDS,
    SITE_OPTIONS_TTL_SECONDS,
)

log = get_logger(__name__)

_CACHE_SIZE = 10_000


class _TranslationSettings(BaseModel):
    """The translation settings of a site, as chat returns them. The deployment's apply to what is missing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    engines: tuple[str, ...] | None = Field(None, max_length=10)
    glossary: tuple[str, ...] = Field((), max_length=500)
    daily_characters: int | None = Field(None, ge=0)


@dataclass(frozen=True, slots=True)
class _Loaded:
    options: SiteOptions
    ttl_seconds: float


class CachedSiteOptions:
    """Implements `SiteOptionsProvider`. `is_connected` says whether `site.changed` events arrive at present.

    While chat cannot be reached, a site's last known options apply, and the deployment's for other sites.
    """

    name = "site-options"

    def __init__(
        self,
        chat: RpcClient,
        default: SiteOptions,
        is_connected: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._chat = chat
        self._default = default
        self._cache = InvalidatingCache(
            self._load,
            is_connected=is_connected,
            ttl_seconds=SITE_OPTIONS_TTL_SECONDS,
            ttl_for=lambda loaded: loaded.ttl_seconds,
            max_size=_CACHE_SIZE,
            monotonic=monotonic,
        )
        self._last_known: LRUCache[int, SiteOptions] = LRUCache(_CACHE_SIZE)

    async def get(self, site_id: int) -> SiteOptions:
        try:
            options = (await self._cache.get(site_id)).options
        except Unavailable:
            # The site changed again and again while its options were read.
            return self._fallback(site_id)
        self._last_known[site_id] = options
        return options

    async def on_event(self, event: Event) -> None:
        """Discard the options of a site that changed."""
        self._cache.invalidate(event.site_id)
        self._last_known.pop(event.site_id, None)

    def on_gap(self) -> None:
        """Discard all options: events may have been missed."""
        self._cache.clear()
        self._last_known.clear()

    async def start(self) -> None:
        """Do nothing: options are read on demand."""

    async def stop(self) -> None:
        await self._cache.stop()

    def unready_reason(self) -> str | None:
        return None

    async def _load(self, site_id: int) -> _Loaded:
        try:
            async with asyncio.timeout(SITE_OPTIONS_TIMEOUT_SECONDS):
                site = await self._chat("site", site_id=site_id)
        except (Unavailable, TimeoutError):
            return _Loaded(self._fallback(site_id), SITE_OPTIONS_FALLBACK_TTL_SECONDS)
        return _Loaded(self._parse(site), SITE_OPTIONS_TTL_SECONDS)

    def _fallback(self, site_id: int) -> SiteOptions:
        return self._last_known.get(site_id, self._default)

    def _parse(self, site: dict[str, Any] | None) -> SiteOptions:
        try:
            settings = _TranslationSettings.model_validate((site or {}).get("translation") or {})
        except ValidationError:
            log.warning("site_options_invalid")
            return self._default
        default = self._default
        return SiteOptions(
            engines=settings.engines or default.engines,
            glossary=(*default.glossary, *settings.glossary),
            # A site may lower the deployment's limit, but not raise it.
            daily_characters=_lower_limit(settings.daily_characters, default.daily_characters),
        )


def _lower_limit(requested: int | None, allowed: int) -> int:
    """Return the lower of two limits, where None and 0 mean no limit."""
    limits = [limit for limit in (requested, allowed) if limit]
    return min(limits, default=0)
