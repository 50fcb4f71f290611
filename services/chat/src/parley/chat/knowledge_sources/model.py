"""Sources, their documents, and the passages that documents are split into."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

SourceKind = Literal["web_page", "sitemap", "crawl", "file", "csv"]
Schedule = Literal["manual", "hourly", "daily", "weekly"]
DocumentStatus = Literal["waiting", "ready", "failed", "skipped"]
SyncState = Literal["idle", "waiting", "running"]

WEB_KINDS: frozenset[SourceKind] = frozenset(("web_page", "sitemap", "crawl"))
FILE_KINDS: frozenset[SourceKind] = frozenset(("file", "csv"))

INTERVALS: dict[Schedule, timedelta] = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
}


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What an operator chooses. `url`, `max_depth` and `max_pages` are for the web, the columns for CSV.

    A column is named by the first row of the file; None for the first and the second one.
    """

    name: str
    url: str | None = None
    max_depth: int = 3
    max_pages: int = 200
    enabled: bool = True
    schedule: Schedule = "manual"
    review: bool = False
    """Changes wait until an operator approves them."""
    question_column: str | None = None
    answer_column: str | None = None


@dataclass(frozen=True, slots=True)
class SyncError:
    """Why a whole sync, or one document, failed. `code` is part of the API."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """Of the sync that runs, or of the last one. `run` counts the syncs of a source."""

    run: int = 0
    state: SyncState = "idle"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    next_at: datetime | None = None
    """When the next one is due; None if nothing is scheduled."""
    error: SyncError | None = None
    discovered: bool = False
    """Whether this run has listed the addresses that it begins with."""
    continued: int = 0
    """How often this run went on after a server was busy, or after its replica ended."""


@dataclass(frozen=True, slots=True)
class Source:
    id: int
    tenant_id: int
    site_id: int
    kind: SourceKind
    options: SourceOptions
    created_at: datetime
    sync: SyncProgress = field(default_factory=SyncProgress)

    @property
    def is_web(self) -> bool:
        return self.kind in WEB_KINDS


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    """Of one source. `done`: those that its latest run has dealt with; `pending`: with a change to be approved."""

    total: int = 0
    done: int = 0
    ready: int = 0
    failed: int = 0
    skipped: int = 0
    pending: int = 0
    passages: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document. `heading` is the path of headings above it, outermost first."""

    heading: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a document says. `language` is a language tag, None if the document does not name one."""

    title: str
    language: str | None
    sections: tuple[Section, ...]

    @property
    def hash(self) -> str:
        parts = [self.title, self.language, [[list(one.heading), one.text] for one in self.sections]]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A page or a file. `key` names it within its source: the address, or the file's name."""

    id: int
    tenant_id: int
    site_id: int
    source_id: int
    key: str
    url: str | None
    status: DocumentStatus
    depth: int = 0
    title: str = ""
    language: str | None = None
    error: SyncError | None = None
    enabled: bool = True
    version: int = 0
    """Rises with each content that goes live; 0 before the first."""
    passages: int = 0
    size: int = 0
    """In bytes, as it was transferred."""
    etag: str | None = None
    last_modified: str | None = None
    content_hash: str | None = None
    has_change: bool = False
    """Whether another content waits to be approved."""
    fetched_at: datetime | None = None
    object_name: str | None = None
    """Under which the bytes of a file are stored."""


@dataclass(frozen=True, slots=True)
class DocumentContents:
    """The contents of a document: the live one, and the one that waits to be approved."""

    live: Content | None
    pending: Content | None


@dataclass(frozen=True, slots=True)
class Validators:
    """By which a server tells whether a page has changed."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class FetchedContent:
    """The outcome of reading a document: its content and the metadata to store with it."""

    content: Content
    passages: int
    size: int
    validators: Validators = field(default_factory=Validators)


@dataclass(frozen=True, slots=True)
class SourcePassage:
    """A part of a document that answers are given from. `position` counts the passages of a document from 0."""

    document_id: int
    position: int
    title: str
    heading: tuple[str, ...]
    text: str
    url: str | None
    language: str | None


@dataclass(frozen=True, slots=True)
class SectionChange:
    """A difference between two contents: of a section that was added, removed or changed."""

    kind: Literal["added", "removed", "changed"]
    heading: tuple[str, ...]
    lines: Sequence[str]
    """Each begins with `+`, `-` or a space."""
