"""Reads one document of a source: a page of the web, or a stored file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from parley.chat.knowledge_sources.errors import DocumentError, DocumentSkipped
from parley.chat.knowledge_sources.extraction.model import DocumentType, ReadDocument, ReadRequest
from parley.chat.knowledge_sources.file_types import find_document_type
from parley.chat.knowledge_sources.limits import MAX_DOCUMENT_BYTES, MAX_PAGE_BYTES
from parley.chat.knowledge_sources.model import FetchedContent, Source, SourceDocument, Validators
from parley.chat.knowledge_sources.ports import Extractor, FetchedPage, ObjectStore, Web
from parley.chat.knowledge_sources.robots import RobotsRules
from parley.chat.knowledge_sources.splitting import count_passages
from parley.chat.knowledge_sources.urls import is_same_site, normalize_url

_NOINDEX = re.compile(r"\b(?:noindex|none)\b", re.IGNORECASE)
_NOFOLLOW = re.compile(r"\b(?:nofollow|none)\b", re.IGNORECASE)
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_TYPES: dict[str, DocumentType] = {
    **dict.fromkeys(_HTML_TYPES, "html"),
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "text/markdown": "markdown",
    "text/plain": "text",
}


@dataclass(frozen=True, slots=True)
class ReadPage:
    """The outcome of reading a document. `fetched` is None if it has not changed."""

    fetched: FetchedContent | None
    links: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PageReader:
    web: Web
    extractor: Extractor
    objects: ObjectStore

    async def read_page(self, source: Source, document: SourceDocument, rules: RobotsRules) -> ReadPage:
        """Fetch and read a page. Raises DocumentError, DocumentSkipped (perhaps `PageMoved`), HostBusy."""
        assert document.url is not None, "a page has an address"
        known = None
        if document.content_hash or document.has_change:
            known = Validators(document.etag, document.last_modified)
        page = await self.web.fetch(document.url, rules.visit, validators=known, max_bytes=MAX_DOCUMENT_BYTES)
        self._check_target(source, document.url, page.url)
        if page.data is None:
            return ReadPage(None)
        document_type = _TYPES.get(page.content_type)
        if document_type is None:
            raise DocumentSkipped("unsupported_type", f"Documents of the type {page.content_type} are not read.")
        if document_type == "html" and len(page.data) > MAX_PAGE_BYTES:
            raise DocumentError("too_large", f"The page is larger than {MAX_PAGE_BYTES // 1024} kB.")
        if _NOINDEX.search(page.robots_tag):
            raise DocumentSkipped("noindex", "The website asks not to index this page.")
        read = await self.extractor.read(page.data, ReadRequest(document_type, document.url, page.url, page.charset))
        self._check_read(source, page, read)
        links = () if _NOFOLLOW.search(page.robots_tag) else read.links
        return ReadPage(_to_fetched(read, len(page.data), page.validators), links)

    async def read_file(self, source: Source, document: SourceDocument) -> ReadPage:
        """Read a stored file. Raises DocumentError, Unavailable."""
        assert document.object_name is not None, "a file is stored"
        chunks = await self.objects.read_range(document.object_name, 0, document.size)
        if chunks is None:
            raise DocumentError("not_found", "The file is not stored any more. Please upload it again.")
        data = b"".join([chunk async for chunk in chunks])
        if len(data) < document.size:
            raise DocumentError("incomplete", "The file could not be read completely.")
        document_type: DocumentType = "csv" if source.kind == "csv" else find_document_type(document.key, data)
        request = ReadRequest(
            document_type,
            document.key,
            question_column=source.options.question_column,
            answer_column=source.options.answer_column,
        )
        return ReadPage(_to_fetched(await self.extractor.read(data, request), len(data), Validators()))

    def _check_target(self, source: Source, url: str, target: str) -> None:
        if source.kind == "web_page" or target == url:
            return
        if not is_same_site(target, url):
            raise DocumentSkipped("other_site", f"The page redirects to another website: {target}")
        raise PageMoved("redirected", target)

    def _check_read(self, source: Source, page: FetchedPage, read: ReadDocument) -> None:
        if read.noindex:
            raise DocumentSkipped("noindex", "The website asks not to index this page.")
        canonical = normalize_url(read.canonical) if read.canonical else None
        if source.kind != "web_page" and canonical not in (None, page.url) and is_same_site(str(canonical), page.url):
            raise PageMoved("duplicate", str(canonical))


class PageMoved(DocumentSkipped):
    """The page is, or says that it is, another page of the website."""

    def __init__(self, code: str, target: str) -> None:
        super().__init__(code, f"The page is read at its other address: {target}")
        self.target = target


def _to_fetched(read: ReadDocument, size: int, validators: Validators) -> FetchedContent:
    return FetchedContent(read.content, count_passages(read.content), size, validators)
