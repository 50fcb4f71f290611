"""Syncs of sources: finds the pages, reads what has changed, and removes what is gone.

A run can be interrupted at any point. What it has found and read is stored document by document, and the next owner of
the lease goes on from there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from parley.chat import metrics
from parley.chat.knowledge_sources.errors import GONE, DocumentError, DocumentSkipped, HostBusy
from parley.chat.knowledge_sources.limits import MAX_DOCUMENTS, MAX_PASSAGES
from parley.chat.knowledge_sources.model import DocumentStatus, Source, SourceDocument, SyncError
from parley.chat.knowledge_sources.page_reader import PageMoved, PageReader, ReadPage
from parley.chat.knowledge_sources.ports import (
    ClaimedSync,
    DocumentRepository,
    FoundPage,
    OnChanged,
    SourceRepository,
    Web,
)
from parley.chat.knowledge_sources.robots import RobotsRules
from parley.chat.knowledge_sources.site_maps import SitemapReader
from parley.chat.knowledge_sources.urls import is_same_site
from parley.chat.timeouts import (
    CRAWL_PAUSE,
    MAX_BUSY_SERVER_WAIT_SECONDS,
    MIN_POSTPONED_SECONDS,
    SYNC_LEASE,
    SYNC_LEASE_RENEWAL_SECONDS,
)
from parley.common.errors import ParleyError
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock
from parley.common.runtime.tasks import run_until_one_ends

log = get_logger(__name__)

_MAX_CONTINUED = 20
_GIVEN_UP = SyncError("interrupted", "The sync was interrupted too often, or the server was too busy again and again.")


@dataclass(frozen=True, slots=True)
class SourceSync:
    sources: SourceRepository
    documents: DocumentRepository
    reader: PageReader
    web: Web
    clock: Clock
    on_changed: OnChanged
    pause: timedelta = CRAWL_PAUSE

    async def run_due(self) -> bool:
        """Carry out one sync that is due. False if there is none."""
        now = self.clock()
        claimed = await self.sources.claim(now, now + SYNC_LEASE)
        if claimed is None:
            return False
        if claimed.source.sync.continued > _MAX_CONTINUED:
            await self._finish(claimed, _GIVEN_UP)
            return True
        await run_until_one_ends(self._carry_out(claimed), self._keep_lease(claimed))
        return True

    async def _keep_lease(self, claimed: ClaimedSync) -> None:
        """Renew the lease; return when it is lost, which ends the sync here."""
        while True:
            await asyncio.sleep(SYNC_LEASE_RENEWAL_SECONDS)
            if not await self.sources.renew(claimed, self.clock() + SYNC_LEASE):
                log.info("knowledge_sync_lost", source_id=claimed.source.id)
                return

    async def _carry_out(self, claimed: ClaimedSync) -> None:
        started = time.monotonic()
        source = claimed.source
        try:
            error = await _Run(self, claimed).carry_out()
        except HostBusy as exc:
            delay = timedelta(seconds=max(exc.seconds, MIN_POSTPONED_SECONDS))
            await self.sources.postpone(claimed, self.clock() + delay)
            return
        finally:
            await self.on_changed(source.site_id)
            metrics.KNOWLEDGE_SYNC_SECONDS.labels(source.kind).observe(time.monotonic() - started)
        await self._finish(claimed, error)

    async def _finish(self, claimed: ClaimedSync, error: SyncError | None) -> None:
        if error is not None:
            metrics.KNOWLEDGE_SYNC_FAILURES.labels(error.code).inc()
        source, now = claimed.source, self.clock()
        await self.sources.finish(claimed, error, now)
        if not source.is_web and await self.documents.has_unread(source.id):
            # Uploaded while this sync ended.
            await self.sources.request_sync(source.id, now)


class _Run:
    """One sync, or the part of it that this replica carries out."""

    def __init__(self, sync: SourceSync, claimed: ClaimedSync) -> None:
        self._claimed = claimed
        self._source: Source = claimed.source
        self._sources, self._documents, self._reader, self._clock = (
            sync.sources,
            sync.documents,
            sync.reader,
            sync.clock,
        )
        self._rules = RobotsRules(sync.web, sync.pause)
        self._sitemaps = SitemapReader(sync.web, sync.reader.extractor, self._rules)

    async def carry_out(self) -> SyncError | None:
        """Return why the sync as a whole failed. Raises HostBusy."""
        try:
            if self._source.is_web and not self._source.sync.discovered:
                await self._discover()
                await self._sources.mark_discovered(self._claimed)
        except DocumentError as exc:
            return SyncError(exc.code, exc.message)
        _, passages = await self._documents.count_of_site(self._source.site_id)
        self._passages_left = MAX_PASSAGES - passages
        while (document := await self._documents.next_unread(self._source)) is not None:
            await self._read(document)
        if self._source.is_web:
            await self._documents.remove_unseen(self._source)
        return None

    async def _discover(self) -> None:
        """Add the addresses that the sync begins with. Raises DocumentError, HostBusy."""
        url = self._source.options.url
        assert url is not None, "a source of the web has an address"
        if self._source.kind != "sitemap":
            await self._add([FoundPage(url)])
            return
        listed = await self._sitemaps.list_pages(url, self._source.options.max_pages)
        await self._add([FoundPage(page) for page in listed.pages])
        if not listed.is_complete:
            await self._documents.keep_unseen(self._source)

    async def _add(self, pages: Sequence[FoundPage]) -> None:
        limit = 1 if self._source.kind == "web_page" else self._source.options.max_pages
        others, _ = await self._documents.count_of_site(self._source.site_id)
        if others >= MAX_DOCUMENTS:
            # Pages that are known already stay in the run.
            limit = min(limit, (await self._documents.count([self._source]))[self._source.id].total)
        await self._documents.discover(self._source, pages, limit)

    async def _read(self, document: SourceDocument) -> None:
        try:
            page = await self._read_patiently(document)
            await self._store(document, page)
            result = "unchanged" if page.fetched is None else "read"
        except DocumentSkipped as exc:
            if isinstance(exc, PageMoved):
                await self._add([FoundPage(exc.target, document.depth)])
            await self._store_error(document, exc, keep=False)
            result = exc.code
        except DocumentError as exc:
            await self._keep_or_forget(document, exc)
            result = exc.code
        except ParleyError as exc:
            await self._keep_or_forget(document, DocumentError(exc.code, exc.message))
            result = exc.code
        metrics.KNOWLEDGE_DOCUMENTS.labels(result).inc()

    async def _read_patiently(self, document: SourceDocument) -> ReadPage:
        """Raises HostBusy if the server asks for a longer pause, or for another one."""
        if not self._source.is_web:
            return await self._reader.read_file(self._source, document)
        try:
            return await self._reader.read_page(self._source, document, self._rules)
        except HostBusy as exc:
            if exc.seconds > MAX_BUSY_SERVER_WAIT_SECONDS:
                raise
            await asyncio.sleep(exc.seconds)
        return await self._reader.read_page(self._source, document, self._rules)

    async def _store(self, document: SourceDocument, page: ReadPage) -> None:
        """Raises DocumentError, DocumentSkipped."""
        if page.fetched is None:
            await self._follow(document, await self._documents.get_links(document))
            await self._documents.store_unchanged(document, self._clock())
        else:
            if page.fetched.passages - document.passages > self._passages_left:
                raise DocumentError("too_many_passages", f"A site can have at most {MAX_PASSAGES} passages.")
            if self._source.kind != "web_page":
                other = await self._documents.find_duplicate(document, page.fetched.content.hash)
                if other is not None:
                    raise DocumentSkipped("duplicate", f"The same content is read from {other}")
            links = [link for link in page.links if self._belongs(link)]
            await self._follow(document, links)
            review = self._source.options.review
            await self._documents.store_content(document, page.fetched, links, self._clock(), review=review)
            self._passages_left -= page.fetched.passages - document.passages

    async def _follow(self, document: SourceDocument, links: Sequence[str]) -> None:
        """Add the pages that a page links to, before it counts as read.

        A replica that continues this sync does not read it again, and what no page has named is removed at the end.
        """
        if self._source.kind == "crawl" and document.depth < self._source.options.max_depth:
            await self._add([FoundPage(link, document.depth + 1) for link in links])

    def _belongs(self, link: str) -> bool:
        assert self._source.options.url is not None
        return self._source.kind == "crawl" and is_same_site(link, self._source.options.url)

    async def _keep_or_forget(self, document: SourceDocument, exc: DocumentError) -> None:
        """Store a failure. A page that is not gone keeps its content, and the pages that it has linked to stay."""
        keep = exc.code not in GONE
        if keep:
            await self._follow(document, await self._documents.get_links(document))
        await self._store_error(document, exc, keep=keep)

    async def _store_error(self, document: SourceDocument, exc: DocumentError, *, keep: bool) -> None:
        status: DocumentStatus = "skipped" if isinstance(exc, DocumentSkipped) else "failed"
        await self._documents.store_error(document, status, SyncError(exc.code, exc.message), self._clock(), keep=keep)
