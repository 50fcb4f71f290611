"""Documents of knowledge sources as they are stored."""

from __future__ import annotations

from typing import Any

from parley.chat.knowledge_sources.extraction.model import from_content
from parley.chat.knowledge_sources.extraction.model import to_content as parse_content
from parley.chat.knowledge_sources.model import Content, FetchedContent, Source, SourceDocument, SyncError
from parley.common.mongodb import Document

LISTED_FIELDS = {"content": 0, "change": 0, "links": 0}
_PLAIN = ("key", "url", "status", "depth", "enabled", "version", "passages", "size", "etag", "last_modified")


def new_document(document_id: int, source: Source, key: str, url: str | None, depth: int) -> Document:
    return {
        "_id": document_id,
        "tenant_id": source.tenant_id,
        "site_id": source.site_id,
        "source_id": source.id,
        "key": key,
        "url": url,
        "object_name": None,
        "status": "waiting",
        "unread": True,
        "seen_run": source.sync.run,
        "depth": depth,
        "title": "",
        "language": None,
        "fault": None,
        "enabled": True,
        "version": 0,
        "passages": 0,
        "size": 0,
        "has_change": False,
        "fetched_at": None,
    }


def to_document(row: Document) -> SourceDocument:
    error = row.get("fault")
    plain: dict[str, Any] = {name: row.get(name) for name in _PLAIN}
    return SourceDocument(
        id=row["_id"],
        tenant_id=row["tenant_id"],
        site_id=row["site_id"],
        source_id=row["source_id"],
        title=row.get("title") or "",
        language=row.get("language"),
        error=None if error is None else SyncError(error["code"], error["message"]),
        content_hash=row.get("content_hash"),
        has_change=row.get("has_change", False),
        fetched_at=row.get("fetched_at"),
        object_name=row.get("object_name"),
        **plain,
    )


def from_fetched(fetched: FetchedContent) -> Document:
    """The fields of a content, which are those of a document or of its change."""
    return {
        "content": from_content(fetched.content),
        "content_hash": fetched.content.hash,
        "title": fetched.content.title,
        "language": fetched.content.language,
        "passages": fetched.passages,
    }


def to_content(row: Document | None) -> Content | None:
    return None if row is None else parse_content(row)
