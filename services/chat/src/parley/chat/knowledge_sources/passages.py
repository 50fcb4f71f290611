"""The passages of a site's sources: always split from the live documents, so that they never differ from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parley.chat.knowledge_sources.errors import DocumentNotFound
from parley.chat.knowledge_sources.limits import MAX_SOURCES
from parley.chat.knowledge_sources.model import Source, SourcePassage
from parley.chat.knowledge_sources.ports import DocumentRepository, SourceRepository
from parley.chat.knowledge_sources.splitting import split_content
from parley.chat.retrieval.model import Passage
from parley.chat.sites.site_settings import SiteSettings


@dataclass(frozen=True, slots=True)
class SourcePassages:
    """A PassageSource of retrieval."""

    sources: SourceRepository
    documents: DocumentRepository
    with_changes: bool = False
    """Whether the passages are those that there will be when all changes that wait are approved."""

    async def list_passages(self, site: SiteSettings) -> Sequence[Passage]:
        """The passages of the enabled documents, in the order of their documents."""
        return await self._list(site, await self.sources.list_page(site.tenant_id, site.id, 0, 2 * MAX_SOURCES))

    async def list_questions(self, site: SiteSettings) -> Sequence[Passage]:
        """The passages of the enabled tables: questions, as their titles, with their answers."""
        sources = await self.sources.list_page(site.tenant_id, site.id, 0, 2 * MAX_SOURCES)
        return await self._list(site, [source for source in sources if source.kind == "csv"])

    async def list_of_document(self, site: SiteSettings, document_id: int) -> Sequence[Passage]:
        """The passages of one live document; nothing if it is gone."""
        for source in await self.sources.list_page(site.tenant_id, site.id, 0, 2 * MAX_SOURCES):
            try:
                document = await self.documents.get(source, document_id)
            except DocumentNotFound:
                continue
            content = (await self.documents.get_contents(source, document_id)).live
            if content is None:
                return []
            language, is_table = content.language or site.language, source.kind == "csv"
            split = split_content(document.id, document.url, content)
            return [_to_passage(one, language, is_table=is_table) for one in split]
        return []

    async def _list(self, site: SiteSettings, sources: Sequence[Source]) -> Sequence[Passage]:
        tables = {source.id for source in sources if source.kind == "csv"}
        passages: dict[int, list[Passage]] = {}
        async for document, contents in self.documents.read_live(sources, with_changes=self.with_changes):
            content = contents.pending or contents.live
            if content is None:
                continue
            is_table, language = document.source_id in tables, content.language or site.language
            split = split_content(document.id, document.url, content)
            passages[document.id] = [_to_passage(one, language, is_table=is_table) for one in split]
        return [one for document_id in sorted(passages) for one in passages[document_id]]


def _to_passage(passage: SourcePassage, language: str | None, *, is_table: bool) -> Passage:
    title, heading = passage.title, passage.heading
    if is_table and heading:
        # The source of an answer from a table is its question, not the name of the file.
        title, heading = heading[0], ()
    elif heading and heading[0].casefold() == title.casefold():
        # Pages mostly repeat their title as the first heading.
        heading = heading[1:]
    passage_id = f"document:{passage.document_id}:{passage.position}"
    return Passage(passage_id, title, passage.text, heading, passage.url, language)
