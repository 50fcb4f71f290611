"""What files need: storage of their content, a record of each, and optionally a scanner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from parley.chat.files.model import ExpiredFile, StoredFile, Uploader


class FileStorage(Protocol):
    """Stores content by name. Every method raises Unavailable."""

    async def put_stream(self, name: str, chunks: AsyncIterator[bytes], media_type: str) -> None:
        """Store what arrives, holding no more than a few megabytes. What `chunks` raises leaves nothing stored."""

    async def read_range(self, name: str, start: int, length: int) -> AsyncIterator[bytes] | None:
        """Return a part of the content in chunks; None if there is no such content."""

    async def remove(self, name: str) -> None:
        """Do nothing if there is no such content."""


class FileScan(Protocol):
    async def feed(self, chunk: bytes) -> None:
        """Raises ScannerUnavailable."""

    async def finish(self) -> None:
        """Raises FileInfected, ScannerUnavailable."""


class FileScanner(Protocol):
    def open(self) -> AbstractAsyncContextManager[FileScan]:
        """Begin to scan a file. Raises ScannerUnavailable."""


class FileRepository(Protocol):
    """The record of each file. It expires unless a message shows the file."""

    async def add(self, file_id: str, uploader: Uploader) -> None:
        """Record a file before its content is stored."""

    async def complete(self, file: StoredFile) -> None:
        """Record that the content is stored, and what it is."""

    async def find(self, file_id: str) -> StoredFile | None:
        """Return a file whose content is stored."""

    async def keep_for_sending(self, file_id: str, uploader: Uploader) -> StoredFile | None:
        """Let a file stay until a message that is sent now is stored. None if there is none, or it has expired.

        A visitor's file can be sent by that visitor, an operator's by any operator of the tenant.
        """

    async def list_expired(self, limit: int) -> Sequence[ExpiredFile]: ...

    async def find_sent_until(self, file: ExpiredFile) -> datetime | bool:
        """Return until when messages show the file; True without an end, False if none does."""

    async def keep_until(self, file_id: str, until: datetime | None) -> None:
        """`until` is None for a file that stays as long as its conversation."""

    async def remove(self, file_id: str) -> None: ...
