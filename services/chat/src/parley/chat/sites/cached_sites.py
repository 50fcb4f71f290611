"""Sites' settings as every message needs them: remembered, and forgotten the moment a site changes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from parley.chat.conversations.ports import Sites, SiteSettings

_HEARING_SECONDS = 30.0
_UNHEARD_SECONDS = 2.0
"""How long settings are believed while changes that other replicas make cannot be heard."""
_REMEMBERED = 1000


class SiteMemory:
    """The domain's Sites, over others that look each time."""

    def __init__(self, sites: Sites) -> None:
        self.hearing: Callable[[], bool] = lambda: False
        """Whether changes are heard now."""
        self._sites = sites
        self._known: OrderedDict[int, tuple[float, SiteSettings]] = OrderedDict()
        self._forgotten = 0

    async def get(self, tenant_id: int, site_id: int) -> SiteSettings:
        at, settings = self._known.get(site_id, (0.0, None))
        believed = _HEARING_SECONDS if self.hearing() else _UNHEARD_SECONDS
        if settings is not None and settings.tenant_id == tenant_id and time.monotonic() - at < believed:
            return settings
        forgotten, asked = self._forgotten, time.monotonic()
        settings = await self._sites.get(tenant_id, site_id)
        if forgotten == self._forgotten:
            self._known[site_id] = (asked, settings)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return settings

    def forget(self, site_id: int) -> None:
        """A site changed."""
        self._forgotten += 1
        self._known.pop(site_id, None)

    def forget_all(self) -> None:
        """Some changes may have gone unheard."""
        self._forgotten += 1
        self._known.clear()
