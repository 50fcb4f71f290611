"""Lists the pages that the sitemaps of a website name."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from parley.chat.knowledge_sources.errors import GONE, DocumentError
from parley.chat.knowledge_sources.extraction.model import Sitemap
from parley.chat.knowledge_sources.limits import MAX_DOCUMENT_BYTES, MAX_SITEMAPS
from parley.chat.knowledge_sources.ports import Extractor, Web
from parley.chat.knowledge_sources.robots import RobotsRules
from parley.chat.knowledge_sources.urls import is_same_site, may_be_page, normalize_url, origin_of

_SITEMAP_ENDINGS = (".xml", ".xml.gz", ".gz", ".txt")


@dataclass(frozen=True, slots=True)
class ListedPages:
    """The pages of a website. It is not complete if one of the sitemaps could not be read."""

    pages: Sequence[str]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class SitemapReader:
    web: Web
    extractor: Extractor
    rules: RobotsRules

    async def list_pages(self, url: str, limit: int) -> ListedPages:
        """Return the pages of the website at an address, or of the sitemap there, in order.

        Raises DocumentError if the first sitemap cannot be read, HostBusy.
        """
        waiting = deque(await self._find_sitemaps(url))
        seen = set(waiting)
        pages: dict[str, None] = {}
        first = is_complete = True
        for _ in range(MAX_SITEMAPS):
            if not waiting or len(pages) >= limit:
                break
            try:
                found = await self._read(waiting.popleft())
            except DocumentError as exc:
                if first and not waiting:
                    raise
                is_complete = is_complete and exc.code in GONE
                continue
            first = False
            for text in found.sitemaps:
                sitemap = normalize_url(text)
                if sitemap is not None and sitemap not in seen and is_same_site(sitemap, url):
                    seen.add(sitemap)
                    waiting.append(sitemap)
            for text in found.pages:
                page = normalize_url(text)
                if page is not None and is_same_site(page, url) and may_be_page(page):
                    pages[page] = None
        return ListedPages(list(pages)[:limit], is_complete)

    async def _find_sitemaps(self, url: str) -> list[str]:
        """Return the sitemap at the address itself, those that robots.txt names, or the usual place."""
        if url.lower().endswith(_SITEMAP_ENDINGS):
            return [url]
        named = [normalize_url(text) for text in await self.rules.list_sitemaps(url)]
        return [one for one in named if one is not None] or [f"{origin_of(url)}/sitemap.xml"]

    async def _read(self, url: str) -> Sitemap:
        page = await self.web.fetch(url, self.rules.visit, max_bytes=MAX_DOCUMENT_BYTES)
        return await self.extractor.read_sitemap(page.data or b"")
