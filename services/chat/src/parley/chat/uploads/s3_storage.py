"""Images in S3 or MinIO. Imported where one is configured: the SDK is a fifth of what chat imports at its start."""

from __future__ import annotations

import asyncio
import io

from minio import Minio
from minio.error import MinioException, S3Error
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from parley.common.errors import Unavailable


class S3Storage:
    """Images in a bucket, by the minio SDK in threads; each call bounded in time."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str, bucket: str, *, secure: bool) -> None:
        pool = PoolManager(timeout=Timeout(connect=3, read=15), retries=Retry(total=2, backoff_factor=0.2), maxsize=8)
        self._client = Minio(endpoint, access_key, secret_key, secure=secure, http_client=pool)
        self._bucket = bucket

    async def put(self, name: str, data: bytes, media: str) -> None:
        try:
            await asyncio.to_thread(self._client.put_object, self._bucket, name, io.BytesIO(data), len(data), media)
        except (MinioException, HTTPError, OSError) as exc:
            raise Unavailable("The image could not be stored.") from exc

    async def get(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread(self._read, name)
        except S3Error as exc:
            if exc.code == "NoSuchKey":
                return None
            raise Unavailable("The image could not be read.") from exc
        except (MinioException, HTTPError, OSError) as exc:
            raise Unavailable("The image could not be read.") from exc

    async def remove(self, name: str) -> None:
        try:
            # S3 answers the same whether or not it was there.
            await asyncio.to_thread(self._client.remove_object, self._bucket, name)
        except (MinioException, HTTPError, OSError) as exc:
            raise Unavailable("The image could not be removed.") from exc

    def _read(self, name: str) -> bytes:
        response = self._client.get_object(self._bucket, name)
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()
