"""Storage of images in S3 or a compatible server. Import it only where it is configured: the SDK is slow to load."""

from __future__ import annotations

import asyncio
import io

from minio import Minio
from minio.error import MinioException, S3Error
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from parley.chat.timeouts import S3_CONNECT_TIMEOUT_SECONDS, S3_READ_TIMEOUT_SECONDS
from parley.chat.uploads.storage import record_failure
from parley.common.errors import Unavailable

_MAX_RETRIES = 2
_MAX_CONNECTIONS = 8

_ERRORS = (MinioException, HTTPError, OSError, ValueError)
_REFUSED_KEYS = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})


class S3Storage:
    """Implements ImageStorage with a bucket, through the MinIO SDK in threads."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str, bucket: str, *, secure: bool) -> None:
        pool = PoolManager(
            timeout=Timeout(connect=S3_CONNECT_TIMEOUT_SECONDS, read=S3_READ_TIMEOUT_SECONDS),
            # A server that hangs is not asked again: the client waits.
            retries=Retry(total=_MAX_RETRIES, read=0, backoff_factor=0.2),
            maxsize=_MAX_CONNECTIONS,
        )
        self._client = Minio(endpoint, access_key, secret_key, secure=secure, http_client=pool)
        self._bucket = bucket

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

    def _read(self, name: str) -> bytes:
        response = self._client.get_object(self._bucket, name)
        try:
            return response.read()
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
