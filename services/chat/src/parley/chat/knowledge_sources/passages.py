"""The passages of a site's sources: always split from the live documents, so that they never differ from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from parley.chat.knowledge_sources.limits import MAX_SOURCES
from parley.chat.knowledge_sources.model import SourcePassage
from parley.chat.knowledge_sources.ports import DocumentRepository, SourceRepository
from parley.chat.knowledge_sources.splitting import split_content
from parley.chat.retrieval.model import Passage
from parley.chat.sites.site_settings import SiteSettings


@dataclass(frozen=True, slots=True)
class SourcePassages:
    sources: SourceRepository
    documents: DocumentRepository

    async def list_passages(self, tenant_id: int, site_id: int) -> Sequence[SourcePassage]:
        """Return the passages of the enabled documents, in the order of their documents."""
        sources = await self.sources.list_page(tenant_id, site_id, 0, 2 * MAX_SOURCES)
        tables = {source.id for source in sources if source.kind == "csv"}
        passages: dict[int, list[SourcePassage]] = {}
        async for document, contents in self.documents.read_live(sources):
            if contents.live is None:
                continue
            split = split_content(document.id, document.url, contents.live)
            passages[document.id] = [
                _name_by_question(one) if document.source_id in tables else _without_repeated_title(one)
                for one in split
            ]
        return [one for document_id in sorted(passages) for one in passages[document_id]]


@dataclass(frozen=True, slots=True)
class DocumentPassages:
    """Implements PassageSource of retrieval."""

    passages: SourcePassages

    async def list_passages(self, site: SiteSettings) -> Sequence[Passage]:
        return [
            Passage(
                f"document:{one.document_id}:{one.position}",
                one.title,
                one.text,
                tuple(one.heading),
                one.url,
                one.language or site.language,
            )
            for one in await self.passages.list_passages(site.tenant_id, site.id)
        ]


def _name_by_question(passage: SourcePassage) -> SourcePassage:
    """The source of an answer from a table is its question, not the name of the file."""
    return replace(passage, title=passage.heading[0], heading=()) if passage.heading else passage


def _without_repeated_title(passage: SourcePassage) -> SourcePassage:
    """Pages mostly repeat their title as the first heading."""
    if passage.heading and passage.heading[0].casefold() == passage.title.casefold():
        return replace(passage, heading=passage.heading[1:])
    return passage
