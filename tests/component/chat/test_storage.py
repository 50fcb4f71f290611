"""Images are put, given, and taken away, in a folder and in object storage by its own protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parley.chat.uploads.s3_storage import S3Storage
from parley.chat.uploads.storage import FolderStorage, Storage
from parley.common.errors import Unavailable
from support.s3 import S3, s3

NAME = f"{'a1' * 16}.png"
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@pytest.fixture
async def bucket() -> AsyncIterator[S3]:
    async with s3() as played:
        yield played


def stored_in(bucket: S3) -> S3Storage:
    return S3Storage(bucket.endpoint, "key-of-ours", "secret-of-ours", "images", secure=False)


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, bucket: S3) -> Storage:
    return FolderStorage(tmp_path) if request.param == "folder" else stored_in(bucket)


async def test_an_image_is_given_as_it_was_put_until_it_is_removed(storage: Storage) -> None:
    assert await storage.get(NAME) is None
    await storage.put(NAME, IMAGE, "image/png")
    assert await storage.get(NAME) == IMAGE
    await storage.remove(NAME)
    assert await storage.get(NAME) is None
    await storage.remove(NAME)


async def test_object_storage_is_told_the_media_type_and_who_asks(bucket: S3) -> None:
    await stored_in(bucket).put(NAME, IMAGE, "image/png")
    assert bucket.objects == {NAME: (IMAGE, "image/png")}
    assert bucket.signed_by == {"key-of-ours"}


async def test_object_storage_that_refuses_is_unavailable_and_not_an_image_that_is_missing(bucket: S3) -> None:
    storage = stored_in(bucket)
    await storage.put(NAME, IMAGE, "image/png")
    bucket.down = True
    for asked in (storage.put(NAME, IMAGE, "image/png"), storage.get(NAME), storage.remove(NAME)):
        with pytest.raises(Unavailable):
            await asked
    bucket.down = False
    assert await storage.get(NAME) == IMAGE
