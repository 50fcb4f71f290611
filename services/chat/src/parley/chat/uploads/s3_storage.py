"""Storage of images and files in S3 or a compatible server. Import it only where it is used: the SDK loads slowly."""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, Protocol, cast

from minio import Minio
from minio.error import MinioException, S3Error
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from parley.chat.timeouts import S3_CONNECT_TIMEOUT_SECONDS, S3_READ_TIMEOUT_SECONDS
from parley.chat.uploads.storage import record_failure
from parley.common.errors import Unavailable

_MAX_RETRIES = 2
_PART_BYTES = 5 * 1024 * 1024
"""The least that S3 accepts as part of an upload, and what one holds in memory."""
_MAX_STREAMS = 16
_CHUNK_BYTES = 256 * 1024
_MAX_CONNECTIONS = 8

_ERRORS = (MinioException, HTTPError, OSError, ValueError, concurrent.futures.CancelledError)
_REFUSED_KEYS = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})


class S3Storage:
    """Implements ObjectStorage with a bucket, through the MinIO SDK in threads."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str, bucket: str, *, secure: bool) -> None:
        pool = PoolManager(
            timeout=Timeout(connect=S3_CONNECT_TIMEOUT_SECONDS, read=S3_READ_TIMEOUT_SECONDS),
            # A server that hangs is not asked again: the client waits.
            retries=Retry(total=_MAX_RETRIES, read=0, backoff_factor=0.2),
            maxsize=_MAX_CONNECTIONS,
        )
        self._client = Minio(endpoint, access_key, secret_key, secure=secure, http_client=pool)
        self._bucket = bucket
        # Threads of their own: each waits for its client. The default ones stay free for what is quick.
        self._streams = ThreadPoolExecutor(_MAX_STREAMS, "s3-stream")

    async def put(self, name: str, data: bytes, media_type: str) -> None:
        try:
            await asyncio.to_thread(
                self._client.put_object, self._bucket, name, io.BytesIO(data), len(data), media_type
            )
        except _ERRORS as exc:
            record_failure("put", _cause(exc), exc)
            raise Unavailable("The image could not be stored.") from exc

    async def get(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread(self._read, name)
        except _ERRORS as exc:
            if isinstance(exc, S3Error) and exc.code == "NoSuchKey":
                return None
            record_failure("get", _cause(exc), exc)
            raise Unavailable("The image could not be read.") from exc

    async def put_stream(self, name: str, chunks: AsyncIterator[bytes], media_type: str) -> None:
        loop = asyncio.get_running_loop()
        source = _ThreadReader(loop, chunks)
        try:
            await loop.run_in_executor(self._streams, self._put_parts, name, source, media_type)
        except asyncio.CancelledError:
            source.cancel()
            raise
        except _ERRORS as exc:
            if source.error is not None:
                # What the chunks raised, not the storage.
                raise source.error from exc
            record_failure("put", _cause(exc), exc)
            raise Unavailable("The file could not be stored.") from exc

    async def read_range(self, name: str, start: int, length: int) -> AsyncIterator[bytes] | None:
        try:
            response = await asyncio.to_thread(self._client.get_object, self._bucket, name, offset=start, length=length)
        except _ERRORS as exc:
            if isinstance(exc, S3Error) and exc.code == "NoSuchKey":
                return None
            record_failure("get", _cause(exc), exc)
            raise Unavailable("The file could not be read.") from exc
        return _read_chunks(response)

    async def remove(self, name: str) -> None:
        try:
            # S3 reports success also if there is no such object.
            await asyncio.to_thread(self._client.remove_object, self._bucket, name)
        except _ERRORS as exc:
            record_failure("remove", _cause(exc), exc)
            raise Unavailable("The image could not be removed.") from exc

    async def get_unwritable_reason(self) -> str | None:
        try:
            exists = await asyncio.to_thread(self._client.bucket_exists, self._bucket)
        except _ERRORS as exc:
            match _cause(exc):
                case "keys":
                    return "PARLEY_S3_ACCESS_KEY or PARLEY_S3_SECRET_KEY is refused"
                case cause:
                    return f"PARLEY_S3_ENDPOINT does not answer as S3 does ({cause})"
        return None if exists else f"PARLEY_S3_BUCKET: there is no bucket {self._bucket}"

    def _put_parts(self, name: str, source: _ThreadReader, media_type: str) -> None:
        # Of unknown length: the SDK sends it in parts, and aborts the upload if the source raises.
        self._client.put_object(
            self._bucket, name, cast("BinaryIO", source), -1, media_type, part_size=_PART_BYTES, num_parallel_uploads=1
        )

    def _read(self, name: str) -> bytes:
        response = self._client.get_object(self._bucket, name)
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()


class _ThreadReader:
    """Lets a thread read an asynchronous iterator as a file."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chunks: AsyncIterator[bytes]) -> None:
        self.error: Exception | None = None
        """What the iterator raised."""
        self._loop = loop
        self._chunks = chunks
        self._buffer = bytearray()
        self._pending: concurrent.futures.Future[bytes] | None = None
        self._cancelled = threading.Event()

    def read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if self._cancelled.is_set():
                raise concurrent.futures.CancelledError
            self._pending = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
            if self._cancelled.is_set():
                # `cancel` may have come before the assignment.
                self._pending.cancel()
            try:
                chunk = self._pending.result()
            except Exception as exc:
                self.error = exc
                raise
            if not chunk:
                break
            self._buffer += chunk
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def cancel(self) -> None:
        """Let the thread end: nobody waits for it any more."""
        self._cancelled.set()
        if self._pending is not None:
            self._pending.cancel()

    async def _next(self) -> bytes:
        return await anext(self._chunks, b"")


class _Response(Protocol):
    def read(self, amt: int) -> bytes: ...

    def close(self) -> None: ...

    def release_conn(self) -> None: ...


async def _read_chunks(response: _Response) -> AsyncIterator[bytes]:
    """Read a response, and close it. Ends early if the server does."""
    try:
        while chunk := await asyncio.to_thread(response.read, _CHUNK_BYTES):
            yield chunk
    except _ERRORS as exc:
        record_failure("get", _cause(exc), exc)
    finally:
        response.close()
        response.release_conn()


def _cause(exc: Exception) -> str:
    """Name the cause for metrics: few, fixed values."""
    if not isinstance(exc, S3Error):
        return "unreachable"
    if exc.code in _REFUSED_KEYS:
        return "keys"
    return "bucket" if exc.code == "NoSuchBucket" else "error"
