"""Storage of images and files in a local folder, and the choice between it and S3."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from parley.chat import metrics
from parley.chat.settings import ChatSettings
from parley.chat.uploads.ports import ObjectStorage
from parley.common.errors import Unavailable
from parley.common.observability.logging import get_logger

log = get_logger(__name__)

_CHUNK_BYTES = 256 * 1024

IMAGE_NAME = re.compile(r"^[0-9a-f]{32}\.(jpg|png|gif|webp)$")
"""The names that UploadService generates. Anything else in a path is rejected."""


def create_object_storage(settings: ChatSettings) -> ObjectStorage:
    """Create the storage that the settings name: S3 if an endpoint is set, a folder otherwise."""
    if settings.s3_endpoint and settings.s3_access_key and settings.s3_secret_key:
        from parley.chat.uploads.s3_storage import S3Storage  # noqa: PLC0415 - loads the SDK only where it is used

        return S3Storage(
            settings.s3_endpoint,
            settings.s3_access_key,
            settings.s3_secret_key.get_secret_value(),
            settings.s3_bucket,
            secure=settings.s3_secure,
        )
    return FolderStorage(settings.storage_dir)


def record_failure(operation: str, cause: str, exc: Exception) -> None:
    """Count and log why an operation failed: its caller only learns that it did."""
    metrics.STORAGE_FAILURES.labels(operation, cause).inc()
    log.warning("storage_failed", operation=operation, cause=cause, error=repr(exc)[:300])


class FolderStorage:
    """Implements ObjectStorage with files, in subfolders named after the first two characters of their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: str, data: bytes, media_type: str) -> None:
        try:
            await asyncio.to_thread(self._write, name, data)
        except OSError as exc:
            record_failure("put", type(exc).__name__, exc)
            raise Unavailable("The image could not be stored.") from exc

    async def get(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread(self._path(name).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as exc:
            record_failure("get", type(exc).__name__, exc)
            raise Unavailable("The image could not be read.") from exc

    async def put_stream(self, name: str, chunks: AsyncIterator[bytes], media_type: str) -> None:
        try:
            file = await asyncio.to_thread(self._open_temporary, name)
            try:
                async for chunk in chunks:
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(self._publish, file, name)
            except BaseException:
                _discard(file)
                raise
        except OSError as exc:
            record_failure("put", type(exc).__name__, exc)
            raise Unavailable("The file could not be stored.") from exc

    async def read_range(self, name: str, start: int, length: int) -> AsyncIterator[bytes] | None:
        try:
            file = await asyncio.to_thread(self._path(name).open, "rb")
        except FileNotFoundError:
            return None
        except OSError as exc:
            record_failure("get", type(exc).__name__, exc)
            raise Unavailable("The file could not be read.") from exc
        return _read_chunks(file, start, length)

    async def remove(self, name: str) -> None:
        try:
            await asyncio.to_thread(self._path(name).unlink, missing_ok=True)
        except OSError as exc:
            record_failure("remove", type(exc).__name__, exc)
            raise Unavailable("The image could not be removed.") from exc

    async def get_unwritable_reason(self) -> str | None:
        nearest = next(path for path in (self._folder, *self._folder.absolute().parents) if path.exists())
        if nearest.is_dir() and os.access(nearest, os.W_OK):
            return None
        return f"PARLEY_STORAGE_DIR: {nearest} cannot be written"

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _write(self, name: str, data: bytes) -> None:
        file = self._open_temporary(name)
        try:
            file.write(data)
            self._publish(file, name)
        except BaseException:
            _discard(file)
            raise

    def _open_temporary(self, name: str) -> IO[bytes]:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=path.parent, delete=False)

    def _publish(self, file: IO[bytes], name: str) -> None:
        # Renamed when complete, so that a reader never sees part of an image.
        file.flush()
        os.fsync(file.fileno())
        file.close()
        Path(file.name).replace(self._path(name))


def _discard(file: IO[bytes]) -> None:
    file.close()
    Path(file.name).unlink(missing_ok=True)


async def _read_chunks(file: IO[bytes], start: int, length: int) -> AsyncIterator[bytes]:
    """Read a part of a file, and close it. Ends early if the file does, or cannot be read further."""
    try:
        await asyncio.to_thread(file.seek, start)
        while length > 0:
            chunk = await asyncio.to_thread(file.read, min(length, _CHUNK_BYTES))
            if not chunk:
                return
            length -= len(chunk)
            yield chunk
    except OSError as exc:
        record_failure("get", type(exc).__name__, exc)
    finally:
        file.close()
