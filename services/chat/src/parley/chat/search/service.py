"""Search in everything that was said, on the sites whose conversations the caller may view."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from parley.chat import metrics
from parley.chat.paging.model import ListPage, Position
from parley.chat.search.model import FoundConversation, FoundDocument, Kind, SearchHit, SearchScope, Source
from parley.chat.search.ports import SearchRepository
from parley.chat.search.snippets import Range, build_snippet, find_marks
from parley.chat.search.text import SearchText, parse
from parley.chat.sites.site_settings import SiteSettingsReader, get_authorized_site
from parley.common.auth.identity import OperatorCaller

_VERIFIED_PER_READ = 100
_MAX_MESSAGES = 2000
"""By which a list of conversations is filtered."""
_MAX_READS = 10
"""Of documents that are verified for one page. A page may have fewer hits than asked for, and a next one."""


@dataclass(frozen=True, slots=True)
class SearchService:
    repository: SearchRepository
    sites: SiteSettingsReader

    async def search(
        self,
        caller: OperatorCaller,
        text: str,
        site_id: int | None,
        kinds: Sequence[Kind],
        after: Position | None,
        limit: int,
    ) -> ListPage[SearchHit]:
        """Find what has all words of a text, newest first. A text without a letter or digit is found nowhere.

        With a site id, raises NotFound, and Forbidden without access to the site.
        """
        if site_id is not None:
            await get_authorized_site(self.sites, caller, site_id)
        query = parse(text)
        if query is None:
            return ListPage([])
        scope = SearchScope(caller.tenant_id, caller.site_ids if site_id is None else [site_id], kinds)
        started = time.perf_counter()
        try:
            return await self._find_page(scope, query, after, limit)
        finally:
            metrics.SEARCH_SECONDS.observe(time.perf_counter() - started)

    async def find_conversations(self, tenant_id: int, site_ids: Sequence[int], text: str) -> Sequence[int]:
        """Find the conversations of the newest messages that have all words of a text.

        Reads 2000 messages at most, or 1000 where it has to verify that words are adjacent.
        """
        query = parse(text)
        if query is None:
            return []
        scope = SearchScope(tenant_id, site_ids, ("message",))
        if query.to_verify:
            found: Sequence[FoundDocument] = await self._find_verified(scope, query)
        else:
            found = await self.repository.find(scope, query, None, _MAX_MESSAGES)
        return list(dict.fromkeys(one.conversation_id for one in found))

    async def _find_verified(self, scope: SearchScope, query: SearchText) -> list[FoundDocument]:
        """Find the newest messages, and keep those in which the words are adjacent."""
        found = await self.repository.find(scope, query, None, _VERIFIED_PER_READ * _MAX_READS)
        verified: list[FoundDocument] = []
        # Some at a time: comparing the texts of all would keep other requests waiting.
        for start in range(0, len(found), _VERIFIED_PER_READ):
            part = found[start : start + _VERIFIED_PER_READ]
            sources = await self.repository.read_sources(part)
            verified += [one for one in part if one.id in sources and _find_marks(one, sources[one.id], query)]
        return verified

    async def _find_page(
        self, scope: SearchScope, query: SearchText, after: Position | None, limit: int
    ) -> ListPage[SearchHit]:
        hits: list[SearchHit] = []
        size = max(limit + 1, _VERIFIED_PER_READ) if query.to_verify else limit + 1
        last = after
        for _ in range(_MAX_READS):
            found = await self.repository.find(scope, query, last, size)
            sources, conversations = await asyncio.gather(
                self.repository.read_sources(found),
                self.repository.read_conversations(one.conversation_id for one in found),
            )
            for one in found:
                if len(hits) == limit:
                    return ListPage(hits, last)
                hit = _to_hit(one, sources.get(one.id), conversations.get(one.conversation_id), query)
                if hit is not None:
                    hits.append(hit)
                last = one.position
            if len(found) < size:
                return ListPage(hits)
        return ListPage(hits, last)


def _to_hit(
    found: FoundDocument, source: Source | None, conversation: FoundConversation | None, query: SearchText
) -> SearchHit | None:
    """None if the document does not match, or what it stands for was removed."""
    if found.kind == "visitor" and conversation is not None:
        source = Source(conversation.visitor_text)
    if source is None or conversation is None:
        return None
    match = _find_marks(found, source, query)
    if match is None:
        return None
    return SearchHit(
        found.kind,
        found.source_id,
        found.at,
        found.conversation_id,
        found.site_id,
        conversation.mode,
        conversation.visitor_name,
        build_snippet(*match),
        source.seq,
        source.role,
        source.author,
    )


def _find_marks(found: FoundDocument, source: Source, query: SearchText) -> tuple[str, list[Range]] | None:
    """The text that matches, of the source or its translation, and its marks; None if neither matches."""
    text, marks = source.text, find_marks(source.text, query, within_words=found.kind == "visitor")
    if not marks and source.translation is not None:
        translated = find_marks(source.translation, query)
        if translated is not None and (translated or marks is None):
            text, marks = source.translation, translated
    return None if marks is None else (text, marks)
