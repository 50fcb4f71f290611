"""The check of image storage in `parley config check`."""

from __future__ import annotations

import asyncio

from minio import Minio
from minio.error import MinioException, S3Error
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from parley.chat.settings import ChatSettings
from parley.chat.timeouts import STORAGE_COMMAND_CONNECT_TIMEOUT_SECONDS, STORAGE_COMMAND_READ_TIMEOUT_SECONDS
from parley.chat.uploads.storage import FolderStorage
from parley.common.cli import CommandError, HealthCheck

_TIMEOUT = Timeout(connect=STORAGE_COMMAND_CONNECT_TIMEOUT_SECONDS, read=STORAGE_COMMAND_READ_TIMEOUT_SECONDS)


async def check_storage(settings: ChatSettings) -> str:
    """Check for a bucket that the credentials may use, or a folder that can be written. Raises CommandError."""
    if settings.s3_endpoint is not None:
        return await asyncio.to_thread(_check_bucket, settings)
    reason = await FolderStorage(settings.storage_dir).get_unwritable_reason()
    if reason is not None:
        raise CommandError(reason)
    return f"folder {settings.storage_dir.absolute()}"


def _check_bucket(settings: ChatSettings) -> str:
    assert settings.s3_endpoint is not None, "checked by the caller"
    client = Minio(
        settings.s3_endpoint,
        settings.s3_access_key,
        settings.s3_secret_key.get_secret_value() if settings.s3_secret_key else None,
        secure=settings.s3_secure,
        http_client=PoolManager(timeout=_TIMEOUT, retries=Retry(total=0)),
    )
    try:
        exists = client.bucket_exists(settings.s3_bucket)
    except S3Error as exc:
        raise CommandError(f"PARLEY_S3_ACCESS_KEY or PARLEY_S3_SECRET_KEY is refused: {exc.code}") from None
    except (MinioException, HTTPError, OSError, ValueError) as exc:
        raise CommandError(f"nothing usable answers at PARLEY_S3_ENDPOINT: {type(exc).__name__}") from None
    if not exists:
        raise CommandError(f"PARLEY_S3_BUCKET: there is no bucket {settings.s3_bucket}")
    return f"bucket {settings.s3_bucket} at {settings.s3_endpoint}"


CHECKS = (HealthCheck("storage", check_storage),)
