"""What the use cases of knowledge sources need: storage, the web, and the reading of documents."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from parley.chat.knowledge_sources.extraction.model import ReadDocument, ReadRequest, Sitemap
from parley.chat.knowledge_sources.model import (
    DocumentContents,
    DocumentCounts,
    DocumentStatus,
    FetchedContent,
    Source,
    SourceDocument,
    SourceOptions,
    SyncError,
    Validators,
)
from parley.chat.sites.model import Site


@dataclass(frozen=True, slots=True)
class ClaimedSync:
    """A sync that this replica may carry out until its lease ends."""

    source: Source
    lease_id: str


@dataclass(frozen=True, slots=True)
class FoundPage:
    """An address that a sync has found. `depth` counts the links from where it began."""

    url: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """A response of a web server; `data` is None if the page has not changed."""

    url: str
    """After redirects."""
    data: bytes | None
    content_type: str = ""
    charset: str | None = None
    robots_tag: str = ""
    validators: Validators = field(default_factory=Validators)


class SourceRepository(Protocol):
    """Sources and their syncs. A sync is carried out by the one replica that has its lease."""

    async def list_page(self, tenant_id: int, site_id: int, after: int, limit: int) -> list[Source]:
        """Sources with ids above `after`, by id."""

    async def get(self, tenant_id: int, site_id: int, source_id: int) -> Source:
        """Raises SourceNotFound."""

    async def add(self, source: Source, limit: int) -> None:
        """Raises TooManySources if the site has `limit` of them."""

    async def update(self, source: Source, options: SourceOptions, next_at: datetime | None) -> None:
        """`next_at`: when the next sync is due, unless one is under way. Raises SourceNotFound."""

    async def mark_deleted(self, source: Source, at: datetime) -> bool:
        """Hide a source; its documents are removed soon after. False if there is none any more."""

    async def request_sync(self, source_id: int, at: datetime) -> bool:
        """False if a sync is under way."""

    async def claim(self, now: datetime, until: datetime) -> ClaimedSync | None:
        """Take the sync that has been due the longest: a new one, or one whose replica has given up its lease."""

    async def renew(self, claimed: ClaimedSync, until: datetime) -> bool:
        """False if the lease was lost, or the source was deleted."""

    async def mark_discovered(self, claimed: ClaimedSync) -> None: ...

    async def postpone(self, claimed: ClaimedSync, until: datetime) -> None:
        """Give up the lease; the run is continued later, by any replica."""

    async def finish(self, claimed: ClaimedSync, error: SyncError | None, now: datetime) -> None:
        """End the run. The schedule, as it is now, tells when the next one is due."""

    async def begin_upload(self, source: Source, object_name: str, at: datetime) -> None:
        """Note a file before its content is stored: if this process ends meanwhile, the content is removed later."""

    async def end_upload(self, source_id: int, object_name: str) -> None:
        """The content has its document, or was removed."""

    async def list_uploads(self, before: datetime) -> Sequence[tuple[int, str]]:
        """Source and object of the uploads that began before a time and have not ended."""

    async def list_deleted(self, now: datetime) -> Sequence[Source]:
        """Deleted sources that no replica works at."""

    async def list_sites(self) -> Sequence[tuple[int, int]]:
        """Tenant and site of all sources."""

    async def mark_site_deleted(self, tenant_id: int, site_id: int, at: datetime) -> None: ...

    async def remove(self, source_id: int) -> None:
        """Remove the last trace of a deleted source."""


class DocumentRepository(Protocol):
    """The documents of sources. Each write of a content replaces the one before as a whole."""

    async def list_page(
        self, source: Source, status: DocumentStatus | None, pending: bool, after: int, limit: int
    ) -> list[SourceDocument]:
        """Documents with ids above `after`, by id; with `pending`, those with a change that waits."""

    async def get(self, source: Source, document_id: int) -> SourceDocument:
        """Raises DocumentNotFound."""

    async def get_contents(self, source: Source, document_id: int) -> DocumentContents:
        """Raises DocumentNotFound."""

    async def count(self, sources: Sequence[Source]) -> dict[int, DocumentCounts]:
        """Counts by the source's id."""

    async def count_of_site(self, site_id: int) -> tuple[int, int]:
        """Documents and passages of all sources of a site."""

    async def discover(self, source: Source, pages: Sequence[FoundPage], limit: int) -> int:
        """Add pages to the current run, unless they are in it, while it has less than `limit`. Return how many."""

    async def add_file(self, source: Source, name: str, object_name: str, size: int) -> tuple[int, str | None]:
        """Add a file, or replace that of the same name. Return its id, and the object that it does not need any more.

        Raises TooManyDocuments.
        """

    async def has_object(self, source_id: int, object_name: str) -> bool:
        """Whether a document has this object."""

    async def restart(self, source: Source) -> None:
        """Let a sync read all files again."""

    async def next_unread(self, source: Source) -> SourceDocument | None:
        """The next document of the current run, those near the start first."""

    async def has_unread(self, source_id: int) -> bool: ...

    async def find_duplicate(self, document: SourceDocument, content_hash: str) -> str | None:
        """The key of another document of this run with the same content."""

    async def get_links(self, document: SourceDocument) -> Sequence[str]:
        """The links that a page had when it was last read."""

    async def store_unchanged(self, document: SourceDocument, now: datetime) -> None: ...

    async def store_content(
        self, document: SourceDocument, fetched: FetchedContent, links: Sequence[str], now: datetime, *, review: bool
    ) -> None:
        """Replace the content; with `review`, store it as a change that waits to be approved."""

    async def store_error(
        self, document: SourceDocument, status: DocumentStatus, error: SyncError, now: datetime, *, keep: bool
    ) -> None:
        """Record why a document could not be read. With `keep`, its content stays as it is."""

    async def keep_unseen(self, source: Source) -> None:
        """Add the pages of earlier runs that the current one has not found to it."""

    async def remove_unseen(self, source: Source) -> int:
        """Remove the pages that the current run has not found. Return how many."""

    async def set_enabled(self, document: SourceDocument, enabled: bool) -> bool:
        """False if there is no such document any more."""

    async def find_latest_change(self, source: Source, document_id: int | None) -> datetime | None:
        """When the latest of the waiting changes that `approve` would let go live was read; None if there is none."""

    async def approve(self, source: Source, document_id: int | None) -> int:
        """Let the waiting change of one document, or of all, go live. Return of how many."""

    async def reject(self, source: Source, document_id: int) -> bool:
        """Drop the waiting change. False if there is none."""

    async def remove(self, document: SourceDocument) -> bool:
        """False if there is no such document any more."""

    async def list_objects(self, source_id: int, limit: int) -> Sequence[tuple[int, str | None]]:
        """Ids of documents of a source, with the object of each file."""

    async def remove_all(self, document_ids: Collection[int]) -> None: ...

    def read_live(
        self, sources: Sequence[Source], *, with_changes: bool = False
    ) -> AsyncIterator[tuple[SourceDocument, DocumentContents]]:
        """The enabled documents of those of these sources that are enabled, with their live contents.

        `with_changes`: also with the contents that wait to be approved, and documents that have only such a content.
        """


class Web(Protocol):
    async def fetch(
        self, url: str, visit: Visit, *, validators: Validators | None = None, max_bytes: int
    ) -> FetchedPage:
        """Fetch a page and follow its redirects. Raises DocumentError, HostBusy, and what `visit` raises."""


class ServerTurns(Protocol):
    def acquire(self, server: str, pause: timedelta) -> AbstractAsyncContextManager[None]:
        """Wait until no replica has a request to this server in flight, and the last one ended that long ago."""


ApprovalCheck = Callable[[Site, datetime], Awaitable[None]]
"""Called with the site and the time of the latest change before changes go live. Raises what forbids it."""

OnChanged = Callable[[int], Awaitable[None]]
"""Called with the site's id after what answers are given from has changed."""


class Visit(Protocol):
    """Decides about each address that a request goes to, also after a redirect."""

    async def __call__(self, url: str) -> timedelta:
        """Return the pause between two requests to that server. Raises DocumentSkipped."""


class Extractor(Protocol):
    async def read(self, data: bytes, request: ReadRequest) -> ReadDocument:
        """Raises DocumentError."""

    async def read_sitemap(self, data: bytes) -> Sitemap:
        """Raises DocumentError."""


class ObjectStore(Protocol):
    """Where the bytes of files are stored. Every method raises Unavailable."""

    async def put_stream(self, name: str, chunks: AsyncIterator[bytes], media_type: str) -> None: ...

    async def read_range(self, name: str, start: int, length: int) -> AsyncIterator[bytes] | None: ...

    async def remove(self, name: str) -> None: ...
