"""The robots.txt of the servers that a sync reads from (RFC 9309)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from protego import Protego

from parley.chat.knowledge_sources.errors import DocumentError, DocumentSkipped
from parley.chat.knowledge_sources.limits import MAX_ROBOTS_BYTES
from parley.chat.knowledge_sources.ports import Web
from parley.chat.knowledge_sources.urls import origin_of
from parley.chat.timeouts import MAX_CRAWL_DELAY

PRODUCT = "Parley"
"""By which a robots.txt names this crawler."""
_ALLOWING = frozenset(("not_found", "access_denied", "refused", "too_many_redirects", "bad_redirect", "too_large"))
"""Failures after which everything is allowed. A server that does not answer allows nothing."""
_ALLOW_ALL = "User-agent: *\nAllow: /\n"


@dataclass(slots=True)
class RobotsRules:
    """The rules of all servers that one sync asks. Each robots.txt is fetched once."""

    web: Web
    pause: timedelta
    """Between two requests to a server that asks for none."""
    _rules: dict[str, Protego | DocumentError] = field(default_factory=dict)

    async def visit(self, url: str) -> timedelta:
        """Return the pause between requests. Raises DocumentSkipped, DocumentError, HostBusy."""
        rules = await self.get(url)
        if not rules.can_fetch(url, PRODUCT):
            raise DocumentSkipped("robots", "The website's robots.txt does not allow to read this page.")
        delay = rules.crawl_delay(PRODUCT)
        if delay is None:
            return self.pause
        # In seconds first: no timedelta is as long as a robots.txt may ask for.
        return timedelta(seconds=min(MAX_CRAWL_DELAY.total_seconds(), max(0.0, float(delay))))

    async def list_sitemaps(self, url: str) -> list[str]:
        """Return the sitemaps that the server of an address names. Raises DocumentError, HostBusy."""
        return list((await self.get(url)).sitemaps)

    async def get(self, url: str) -> Protego:
        """Raises DocumentError if a server cannot say what it allows, HostBusy."""
        origin = origin_of(url)
        if origin not in self._rules:
            self._rules[origin] = await self._fetch(origin)
        rules = self._rules[origin]
        if isinstance(rules, DocumentError):
            raise DocumentError(rules.code, rules.message)
        return rules

    async def _fetch(self, origin: str) -> Protego | DocumentError:
        try:
            page = await self.web.fetch(f"{origin}/robots.txt", self._visit_robots, max_bytes=MAX_ROBOTS_BYTES)
        except DocumentError as exc:
            if exc.code in _ALLOWING:
                return Protego.parse(_ALLOW_ALL)
            return exc
        return Protego.parse((page.data or b"").decode("utf-8-sig", "replace"))

    async def _visit_robots(self, url: str) -> timedelta:
        return self.pause
