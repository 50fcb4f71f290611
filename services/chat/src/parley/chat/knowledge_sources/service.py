"""Use cases of knowledge sources: an operator adds and changes them, uploads files, and approves changes."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from parley.chat.accounts.ports import SiteLookup
from parley.chat.audit.service import AuditService
from parley.chat.ids import NextId
from parley.chat.knowledge_sources.changes import find_changes
from parley.chat.knowledge_sources.errors import (
    DocumentNotFound,
    KnowledgeFileTooLarge,
    KnowledgeFileTypeNotAllowed,
    NoFilesHere,
    NothingPending,
    SourceNotFound,
    SyncRunning,
)
from parley.chat.knowledge_sources.file_types import clean_file_name, find_document_type
from parley.chat.knowledge_sources.limits import MAX_DOCUMENT_BYTES, MAX_SOURCES
from parley.chat.knowledge_sources.model import (
    FILE_KINDS,
    INTERVALS,
    WEB_KINDS,
    DocumentCounts,
    DocumentStatus,
    SectionChange,
    Source,
    SourceDocument,
    SourceKind,
    SourceOptions,
    SyncProgress,
)
from parley.chat.knowledge_sources.ports import (
    ApprovalCheck,
    DocumentRepository,
    ObjectStore,
    OnChanged,
    SourceRepository,
)
from parley.chat.knowledge_sources.urls import normalize_url
from parley.chat.sites.service import SiteService
from parley.chat.timeouts import UPLOAD_ABANDONED_AFTER
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import ParleyError, Unavailable, ValidationFailed
from parley.common.runtime.clock import Clock

_REMOVAL_BATCH = 200
_CHECKED_BYTES = 64 * 1024
"""By which the type of a file is recognized."""


@dataclass(frozen=True, slots=True)
class SourceService:
    """Methods with a caller raise SiteNotFound, SourceNotFound, and Forbidden without the route's permission."""

    sources: SourceRepository
    documents: DocumentRepository
    objects: ObjectStore
    sites: SiteService
    site_lookup: SiteLookup
    audit: AuditService
    next_id: NextId
    clock: Clock
    on_changed: OnChanged
    check_approval: ApprovalCheck

    async def list_page(
        self, caller: OperatorCaller, site_id: int, after: int, limit: int
    ) -> list[tuple[Source, DocumentCounts]]:
        """A site's sources by id; `limit` + 1 if there are more than `limit`."""
        await self.sites.get(caller, site_id)
        sources = await self.sources.list_page(caller.tenant_id, site_id, after, limit + 1)
        counts = await self.documents.count(sources)
        return [(source, counts[source.id]) for source in sources]

    async def get(self, caller: OperatorCaller, site_id: int, source_id: int) -> tuple[Source, DocumentCounts]:
        source = await self._find(caller, site_id, source_id)
        return source, (await self.documents.count([source]))[source.id]

    async def create(
        self, caller: OperatorCaller, site_id: int, kind: SourceKind, options: SourceOptions
    ) -> tuple[Source, DocumentCounts]:
        """Add a source; pages are read at once. Raises ValidationFailed, TooManySources."""
        await self.sites.get(caller, site_id)
        url = normalize_url(options.url or "") if kind in WEB_KINDS else None
        if kind in WEB_KINDS and url is None:
            raise ValidationFailed({"url": "must be an address that begins with https:// or http://"})
        now = self.clock()
        sync = SyncProgress(next_at=now if kind in WEB_KINDS else None)
        options = replace(options, url=url, schedule=options.schedule if kind in WEB_KINDS else "manual")
        source = Source(await self.next_id(), caller.tenant_id, site_id, kind, options, now, sync)
        await self.sources.add(source, MAX_SOURCES)
        await self._record(caller, "knowledge_source.created", source, {"name": options.name, "kind": kind})
        return await self.get(caller, site_id, source.id)

    async def update(
        self, caller: OperatorCaller, site_id: int, source_id: int, fields: Mapping[str, Any]
    ) -> tuple[Source, DocumentCounts]:
        """Change some options. Raises ValidationFailed for a schedule of files."""
        source = await self._find(caller, site_id, source_id)
        options = replace(source.options, **fields)
        if options.schedule != "manual" and not source.is_web:
            raise ValidationFailed({"schedule": "is for pages of the web only"})
        await self.sources.update(source, options, self._next_due(source, options))
        await self._record(caller, "knowledge_source.updated", source, {"fields": sorted(fields)})
        if options.enabled != source.options.enabled:
            await self.on_changed(site_id)
        return await self.get(caller, site_id, source_id)

    async def delete(self, caller: OperatorCaller, site_id: int, source_id: int) -> None:
        """Hide a source at once; its documents and files are removed soon after."""
        source = await self._find(caller, site_id, source_id)
        if not await self.sources.mark_deleted(source, self.clock()):
            raise SourceNotFound
        await self._record(caller, "knowledge_source.deleted", source, {"name": source.options.name})
        await self.on_changed(site_id)

    async def sync(self, caller: OperatorCaller, site_id: int, source_id: int) -> tuple[Source, DocumentCounts]:
        """Read the source again now. Raises SyncRunning."""
        source = await self._find(caller, site_id, source_id)
        if source.sync.state == "running":
            raise SyncRunning
        if not source.is_web:
            await self.documents.restart(source)
        if not await self.sources.request_sync(source.id, self.clock()):
            raise SyncRunning
        await self._record(caller, "knowledge_source.synced", source, {"name": source.options.name})
        return await self.get(caller, site_id, source_id)

    async def upload(
        self, caller: OperatorCaller, site_id: int, source_id: int, name: str, chunks: AsyncIterator[bytes]
    ) -> SourceDocument:
        """Store a file while it arrives; it is read soon after. One of the same name is replaced.

        Raises NoFilesHere, KnowledgeFileTypeNotAllowed, KnowledgeFileTooLarge, TooManyDocuments, ValidationFailed,
        Unavailable, and what `chunks` raises. Then nothing is stored.
        """
        source = await self._find(caller, site_id, source_id)
        if source.kind not in FILE_KINDS:
            raise NoFilesHere
        object_name = f"{secrets.token_hex(16)}.knowledge"
        await self.sources.begin_upload(source, object_name, self.clock())
        reception = _Reception(name, is_table=source.kind == "csv")
        try:
            await self.objects.put_stream(object_name, reception.pass_on(chunks), "application/octet-stream")
            document_id, replaced = await self.documents.add_file(source, reception.name, object_name, reception.size)
        except ParleyError as exc:
            if not isinstance(exc, Unavailable):
                await self._drop_upload(source.id, object_name)
            raise
        await self.sources.request_sync(source.id, self.clock())
        await self.sources.end_upload(source.id, object_name)
        if replaced is not None:
            await self.objects.remove(replaced)
        await self._record(caller, "knowledge_source.file_added", source, {"name": reception.name})
        return await self.documents.get(source, document_id)

    async def list_documents(
        self,
        caller: OperatorCaller,
        site_id: int,
        source_id: int,
        status: DocumentStatus | None,
        pending: bool,
        after: int,
        limit: int,
    ) -> list[SourceDocument]:
        """A source's documents by id; `limit` + 1 if there are more than `limit`."""
        source = await self._find(caller, site_id, source_id)
        return await self.documents.list_page(source, status, pending, after, limit + 1)

    async def set_enabled(
        self, caller: OperatorCaller, site_id: int, source_id: int, document_id: int, enabled: bool
    ) -> SourceDocument:
        """Let answers be given from a document, or not. Raises DocumentNotFound."""
        source = await self._find(caller, site_id, source_id)
        document = await self.documents.get(source, document_id)
        if document.enabled != enabled:
            if not await self.documents.set_enabled(document, enabled):
                raise DocumentNotFound
            details = {"document": document.key, "enabled": enabled}
            await self._record(caller, "knowledge_source.document_changed", source, details)
            await self.on_changed(site_id)
        return await self.documents.get(source, document_id)

    async def delete_document(self, caller: OperatorCaller, site_id: int, source_id: int, document_id: int) -> None:
        """Remove a file. Pages are left out by turning them off. Raises DocumentNotFound, ValidationFailed."""
        source = await self._find(caller, site_id, source_id)
        document = await self.documents.get(source, document_id)
        if document.object_name is None:
            raise ValidationFailed({"document_id": "is a page, which the next sync would find again"})
        await self.objects.remove(document.object_name)
        if not await self.documents.remove(document):
            raise DocumentNotFound
        await self._record(caller, "knowledge_source.document_deleted", source, {"document": document.key})
        await self.on_changed(site_id)

    async def get_changes(
        self, caller: OperatorCaller, site_id: int, source_id: int, document_id: int
    ) -> Sequence[SectionChange]:
        """What the waiting change of a document changes. Raises DocumentNotFound, NothingPending."""
        source = await self._find(caller, site_id, source_id)
        contents = await self.documents.get_contents(source, document_id)
        if contents.pending is None:
            raise NothingPending
        return await asyncio.to_thread(find_changes, contents.live, contents.pending)

    async def approve(
        self, caller: OperatorCaller, site_id: int, source_id: int, document_id: int | None = None
    ) -> int:
        """Let the waiting change of a document, or all of the source, go live. Return of how many documents.

        Raises DocumentNotFound, NothingPending for one document without a change, and AnswerTestsRequired.
        """
        site = await self.sites.get(caller, site_id)
        source = await self.sources.get(caller.tenant_id, site_id, source_id)
        if document_id is not None:
            await self.documents.get(source, document_id)
        changed_at = await self.documents.find_latest_change(source, document_id)
        if changed_at is not None:
            await self.check_approval(site, changed_at)
        approved = await self.documents.approve(source, document_id)
        if not approved:
            if document_id is not None:
                raise NothingPending
            return 0
        await self._record(caller, "knowledge_source.approved", source, {"documents": approved})
        await self.on_changed(site_id)
        return approved

    async def reject(self, caller: OperatorCaller, site_id: int, source_id: int, document_id: int) -> SourceDocument:
        """Drop the waiting change of a document. Raises DocumentNotFound, NothingPending."""
        source = await self._find(caller, site_id, source_id)
        document = await self.documents.get(source, document_id)
        if not await self.documents.reject(source, document_id):
            raise NothingPending
        await self._record(caller, "knowledge_source.rejected", source, {"document": document.key})
        return await self.documents.get(source, document_id)

    async def remove_deleted(self) -> None:
        """Remove what is stored of deleted sources and sites, and of uploads that were cut off. Raises Unavailable."""
        now = self.clock()
        for source_id, abandoned in await self.sources.list_uploads(now - UPLOAD_ABANDONED_AFTER):
            if await self.documents.has_object(source_id, abandoned):
                # Its replica may have ended before anything read it.
                await self.sources.request_sync(source_id, now)
                await self.sources.end_upload(source_id, abandoned)
            else:
                await self._drop_upload(source_id, abandoned)
        for tenant_id, site_id in await self.sources.list_sites():
            if not await self.site_lookup.filter_existing(tenant_id, [site_id]):
                await self.sources.mark_site_deleted(tenant_id, site_id, now)
        for source in await self.sources.list_deleted(now):
            while found := await self.documents.list_objects(source.id, _REMOVAL_BATCH):
                for _, object_name in found:
                    if object_name is not None:
                        await self.objects.remove(object_name)
                await self.documents.remove_all([document_id for document_id, _ in found])
            await self.sources.remove(source.id)

    async def _drop_upload(self, source_id: int, object_name: str) -> None:
        """Raises Unavailable: the upload is then dropped later."""
        await self.objects.remove(object_name)
        await self.sources.end_upload(source_id, object_name)

    def _next_due(self, source: Source, options: SourceOptions) -> datetime | None:
        """When the source is due after a change of its options: the schedule counts from its last sync."""
        if source.sync.state == "waiting":
            return source.sync.next_at
        if not options.enabled or options.schedule == "manual":
            return None
        last = source.sync.finished_at or source.created_at
        return max(self.clock(), last + INTERVALS[options.schedule])

    async def _find(self, caller: OperatorCaller, site_id: int, source_id: int) -> Source:
        await self.sites.get(caller, site_id)
        return await self.sources.get(caller.tenant_id, site_id, source_id)

    async def _record(self, caller: OperatorCaller, action: str, source: Source, details: Mapping[str, Any]) -> None:
        await self.audit.record(caller, action, f"knowledge_source:{source.id}", source.site_id, details)


class _Reception:
    """A file on its way into the storage: its size and type are checked while it passes."""

    def __init__(self, name: str, *, is_table: bool) -> None:
        self.name = name
        self.size = 0
        self._is_table = is_table
        self._head = b""
        self._checked = False

    async def pass_on(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Raises KnowledgeFileTooLarge, KnowledgeFileTypeNotAllowed, ValidationFailed."""
        async for chunk in chunks:
            self.size += len(chunk)
            if self.size > MAX_DOCUMENT_BYTES:
                raise KnowledgeFileTooLarge
            if self._checked:
                yield chunk
                continue
            self._head += chunk
            if len(self._head) >= _CHECKED_BYTES:
                yield self._check()
        if not self.size:
            raise ValidationFailed({"file": "is empty"})
        if not self._checked:
            yield self._check()

    def _check(self) -> bytes:
        """Return the beginning of the file, which has been held back."""
        file_type = find_document_type(self.name, self._head)
        if self._is_table and file_type != "text":
            raise KnowledgeFileTypeNotAllowed("Only CSV files (UTF-8) can be read here.")
        self.name = clean_file_name(self.name, "csv" if self._is_table else file_type)
        self._checked = True
        return self._head
