"""What `parley config check` tries of chat beside the database and the broker: where images are kept."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from minio import Minio
from minio.error import MinioException, S3Error
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from parley.chat.settings import ChatSettings
from parley.common.cli.main import Check, Refused


async def check_storage(settings: ChatSettings) -> str:
    """A bucket that is there and ours, or a folder that can be written. Raises Refused."""
    if settings.s3_endpoint is None:
        return _folder(settings.storage_dir)
    return await asyncio.to_thread(_bucket, settings)


def _folder(folder: Path) -> str:
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise Refused(f"PARLEY_STORAGE_DIR: {nearest} cannot be written")
    return f"folder {folder.absolute()}"


def _bucket(settings: ChatSettings) -> str:
    assert settings.s3_endpoint is not None, "the settings check it"
    client = Minio(
        settings.s3_endpoint,
        settings.s3_access_key,
        settings.s3_secret_key.get_secret_value() if settings.s3_secret_key else None,
        secure=settings.s3_secure,
        http_client=PoolManager(timeout=Timeout(connect=3, read=5), retries=Retry(total=0)),
    )
    try:
        there = client.bucket_exists(settings.s3_bucket)
    except S3Error as exc:
        raise Refused(f"PARLEY_S3_ACCESS_KEY or PARLEY_S3_SECRET_KEY is refused: {exc.code}") from None
    except (MinioException, HTTPError, OSError, ValueError) as exc:
        raise Refused(f"nothing usable answers at PARLEY_S3_ENDPOINT: {type(exc).__name__}") from None
    if not there:
        raise Refused(f"PARLEY_S3_BUCKET: there is no bucket {settings.s3_bucket}")
    return f"bucket {settings.s3_bucket} at {settings.s3_endpoint}"


CHECKS = (Check("storage", check_storage),)
