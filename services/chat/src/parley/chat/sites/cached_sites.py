"""A cache of sites' settings, which every message needs."""

from __future__ import annotations

from collections.abc import Callable

from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader
from parley.chat.timeouts import SITE_CACHE_TTL_SECONDS
from parley.common.caching import InvalidatingCache

_CACHE_SIZE = 1000


class CachedSites:
    """Implements the port SiteSettingsReader of conversations over an uncached one, invalidated by `site.changed`."""

    def __init__(self, sites: SiteSettingsReader) -> None:
        self.is_connected: Callable[[], bool] = lambda: False
        """Whether changes made by other replicas are received at present; set by the subscription."""
        self._cache: InvalidatingCache[tuple[int, int], SiteSettings] = InvalidatingCache(
            lambda key: sites.get(*key),
            is_connected=lambda: self.is_connected(),  # noqa: PLW0108 - the attribute is set later
            ttl_seconds=SITE_CACHE_TTL_SECONDS,
            max_size=_CACHE_SIZE,
        )

    async def get(self, tenant_id: int, site_id: int) -> SiteSettings:
        """Raises SiteNotFound, which is not cached."""
        return await self._cache.get((tenant_id, site_id))

    def invalidate(self, tenant_id: int, site_id: int) -> None:
        """Discard the settings of a site that has changed."""
        self._cache.invalidate((tenant_id, site_id))

    def clear(self) -> None:
        """Discard all settings: changes may have been missed."""
        self._cache.clear()

    async def stop(self) -> None:
        await self._cache.stop()
