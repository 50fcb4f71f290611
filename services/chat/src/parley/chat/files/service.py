"""Stores files under names of its own, and accepts only those in messages."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field

from parley.chat import metrics
from parley.chat.files.errors import FilesDisabled, FileTooLarge, FileTypeNotAllowed, TooManyFiles
from parley.chat.files.model import FilePolicy, FileType, SendableFile, StoredFile, Uploader, file_url, object_name
from parley.chat.files.names import sanitize_name
from parley.chat.files.ports import FileRepository, FileScan, FileScanner, FileStorage
from parley.chat.files.sniffing import ContentSniffer
from parley.chat.sites.site_settings import SiteSettings
from parley.common.errors import NotFound, ParleyError, Unavailable, ValidationFailed
from parley.common.events.schemas import FileSchema
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock

log = get_logger(__name__)

_REMOVAL_BATCH = 100
_MAX_UPLOADS = 16
"""At the same time. Each holds a part of about 5 MB on its way to object storage."""


class UploadSlots:
    """Counts the files that are being uploaded to this replica."""

    def __init__(self, count: int = _MAX_UPLOADS) -> None:
        self._free = count

    @contextmanager
    def acquire(self) -> Iterator[None]:
        """Raises TooManyFiles."""
        if self._free == 0:
            raise TooManyFiles
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


@dataclass(slots=True)
class _Reception:
    """A file on its way into the storage: counted, hashed, typed and scanned while it passes."""

    policy: FilePolicy
    scan: FileScan | None
    sniffer: ContentSniffer = field(default_factory=ContentSniffer)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    file_type: FileType | None = None

    async def pass_on(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the chunks. What is wrong with the file is raised before the last one is passed on."""
        held: bytes | None = None
        async for chunk in chunks:
            if self.sniffer.size + len(chunk) > self.policy.max_bytes:
                raise FileTooLarge(self.policy.max_bytes)
            self.sniffer.feed(chunk)
            self.digest.update(chunk)
            if self.scan is not None:
                await self.scan.feed(chunk)
            if held is not None:
                yield held
            held = chunk
        if held is None:
            raise ValidationFailed({"file": "is empty"})
        self.file_type = self.sniffer.finish()
        if self.file_type.kind not in self.policy.kinds:
            raise FileTypeNotAllowed
        if self.scan is not None:
            await self.scan.finish()
        yield held


@dataclass(frozen=True, slots=True)
class FileService:
    storage: FileStorage
    files: FileRepository
    scanner: FileScanner | None
    limits: FilePolicy
    """Of the installation."""
    base_url: str
    """What precedes the id in a file's URL, ending in a slash."""
    clock: Clock
    slots: UploadSlots = field(default_factory=UploadSlots)

    def policy_of(self, site: SiteSettings | None) -> FilePolicy:
        """Return what may be uploaded for a site, or for no site in particular."""
        return self.limits if site is None else self.limits.narrow(site.files)

    def require_visitors_allowed(self, site: SiteSettings) -> None:
        """Raises FilesDisabled."""
        if not site.files.enabled_for_visitors or not self.policy_of(site).kinds:
            raise FilesDisabled

    async def store(
        self,
        uploader: Uploader,
        policy: FilePolicy,
        name: str,
        chunks: AsyncIterator[bytes],
        duration: float | None = None,
    ) -> FileSchema:
        """Store a file while it arrives.

        Raises FileTypeNotAllowed, FileTooLarge, FileInfected, ScannerUnavailable, TooManyFiles, ValidationFailed,
        Unavailable, and what `chunks` raises. Then nothing is stored.
        """
        try:
            with self.slots.acquire():
                stored = await self._store(uploader, policy, name, chunks, duration)
        except ParleyError as exc:
            metrics.FILE_UPLOADS.labels("none", exc.code).inc()
            raise
        metrics.FILE_UPLOADS.labels(stored.kind, "stored").inc()
        metrics.FILE_BYTES.labels(stored.kind).inc(stored.size)
        return stored.to_schema(self.base_url)

    async def _store(
        self,
        uploader: Uploader,
        policy: FilePolicy,
        name: str,
        chunks: AsyncIterator[bytes],
        duration: float | None,
    ) -> StoredFile:
        # 128 random bits, so that URLs cannot be guessed.
        file_id = secrets.token_hex(16)
        async with AsyncExitStack() as stack:
            scan = None if self.scanner is None else await stack.enter_async_context(self.scanner.open())
            reception = _Reception(policy, scan)
            # Recorded before it is stored: content without a record could never be erased.
            await self.files.add(file_id, uploader)
            try:
                # Whatever the type turns out to be, the storage itself never serves it.
                content = reception.pass_on(chunks)
                await self.storage.put_stream(object_name(file_id), content, "application/octet-stream")
            except Unavailable:
                # The storage may have it in part: the record stays until it expires, and then both are removed.
                raise
            except ParleyError:
                await self.files.remove(file_id)
                raise
        file_type = reception.file_type
        assert file_type is not None, "known once all chunks were passed on"
        stored = StoredFile(
            id=file_id,
            uploader=uploader,
            name=sanitize_name(name, file_type),
            size=reception.sniffer.size,
            kind=file_type.kind,
            content_type=file_type.content_type,
            sha256=reception.digest.hexdigest(),
            duration=duration if file_type.kind in ("audio", "video") else None,
        )
        await self.files.complete(stored)
        return stored

    async def get_for_sending(self, uploader: Uploader, file_id: str | None) -> SendableFile | None:
        """Return a file that the sender of a message uploaded here; None for None or an empty text.

        Raises ValidationFailed for any other id.
        """
        if not file_id:
            return None
        stored = await self.files.keep_for_sending(file_id, uploader)
        if stored is None:
            raise ValidationFailed({"file_id": "is not a file uploaded here"})
        return SendableFile(stored, self.limits, self.base_url)

    def with_current_url(self, file: FileSchema) -> FileSchema:
        """Return a file with its URL on this installation's address, which may have changed since it was attached."""
        return file.model_copy(update={"url": file_url(self.base_url, file.id, file.name)})

    async def get(self, file_id: str) -> StoredFile:
        """Raises NotFound."""
        stored = await self.files.find(file_id)
        if stored is None:
            raise NotFound
        return stored

    async def read(self, file: StoredFile, start: int, length: int) -> AsyncIterator[bytes]:
        """Return a part of the content in chunks. Raises NotFound, Unavailable."""
        chunks = await self.storage.read_range(object_name(file.id), start, length)
        if chunks is None:
            raise NotFound
        return chunks

    async def remove_expired(self) -> None:
        """Remove the files that were never sent, and those whose site keeps them no longer. Raises Unavailable."""
        while expired := await self.files.list_expired(_REMOVAL_BATCH):
            for file in expired:
                until = await self.files.find_sent_until(file)
                if until is True:
                    await self.files.keep_until(file.id, None)
                elif until is False or until <= self.clock():
                    await self.storage.remove(object_name(file.id))
                    await self.files.remove(file.id)
                    metrics.FILES_EXPIRED.labels("unsent" if until is False else "expired").inc()
                else:
                    await self.files.keep_until(file.id, until)
