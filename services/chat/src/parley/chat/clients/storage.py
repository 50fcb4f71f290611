"""Where images are kept: a folder by default, S3 or MinIO where one is configured. Written once, never changed."""

from __future__ import annotations

import asyncio
import io
import os
import re
import tempfile
from pathlib import Path
from typing import Protocol

from minio import Minio
from minio.error import MinioException, S3Error
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from parley.common.errors import Unavailable

NAME = re.compile(r"^[0-9a-f]{32}\.(jpg|png|gif|webp)$")
"""The only names there are: chosen by us, so that no path can be smuggled in."""


class Storage(Protocol):
    async def put(self, name: str, data: bytes, media: str) -> None:
        """Raises Unavailable."""

    async def get(self, name: str) -> bytes | None:
        """None when there is no such image. Raises Unavailable."""

    async def remove(self, name: str) -> None:
        """Also where there is no such image. Raises Unavailable."""


class FolderStorage:
    """Images in a local folder, two levels deep."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: str, data: bytes, media: str) -> None:
        try:
            await asyncio.to_thread(self._write, name, data)
        except OSError as problem:
            raise Unavailable("The image could not be stored.") from problem

    async def get(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread(self._path(name).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise Unavailable("The image could not be read.") from problem

    async def remove(self, name: str) -> None:
        try:
            await asyncio.to_thread(self._path(name).unlink, missing_ok=True)
        except OSError as problem:
            raise Unavailable("The image could not be removed.") from problem

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _write(self, name: str, data: bytes) -> None:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)


class S3Storage:
    """Images in a bucket, by the minio SDK in threads; each call bounded in time."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str, bucket: str, *, secure: bool) -> None:
        pool = PoolManager(timeout=Timeout(connect=3, read=15), retries=Retry(total=2, backoff_factor=0.2), maxsize=8)
        self._client = Minio(endpoint, access_key, secret_key, secure=secure, http_client=pool)
        self._bucket = bucket

    async def put(self, name: str, data: bytes, media: str) -> None:
        try:
            await asyncio.to_thread(self._client.put_object, self._bucket, name, io.BytesIO(data), len(data), media)
        except (MinioException, HTTPError, OSError) as problem:
            raise Unavailable("The image could not be stored.") from problem

    async def get(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread(self._read, name)
        except S3Error as problem:
            if problem.code == "NoSuchKey":
                return None
            raise Unavailable("The image could not be read.") from problem
        except (MinioException, HTTPError, OSError) as problem:
            raise Unavailable("The image could not be read.") from problem

    async def remove(self, name: str) -> None:
        try:
            # S3 answers the same whether or not it was there.
            await asyncio.to_thread(self._client.remove_object, self._bucket, name)
        except (MinioException, HTTPError, OSError) as problem:
            raise Unavailable("The image could not be removed.") from problem

    def _read(self, name: str) -> bytes:
        response = self._client.get_object(self._bucket, name)
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()
