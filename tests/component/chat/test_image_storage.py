"""Storage of images, in a folder and in S3."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parley.chat.uploads.ports import ImageStorage
from parley.chat.uploads.s3_storage import S3Storage
from parley.chat.uploads.storage import FolderStorage
from parley.common.errors import Unavailable
from support.fake_s3 import FakeS3, run_fake_s3

NAME = f"{'a1' * 16}.png"
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@pytest.fixture
async def s3() -> AsyncIterator[FakeS3]:
    async with run_fake_s3() as fake:
        yield fake


def create_s3_storage(s3: FakeS3) -> S3Storage:
    return S3Storage(s3.endpoint, "the-access-key", "the-secret-key", "images", secure=False)


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, s3: FakeS3) -> ImageStorage:
    return FolderStorage(tmp_path) if request.param == "folder" else create_s3_storage(s3)


async def test_a_stored_image_is_returned_until_it_is_removed(storage: ImageStorage) -> None:
    assert await storage.get(NAME) is None
    await storage.put(NAME, IMAGE, "image/png")
    assert await storage.get(NAME) == IMAGE
    await storage.remove(NAME)
    assert await storage.get(NAME) is None
    await storage.remove(NAME)


async def test_object_storage_receives_media_type_and_credentials(s3: FakeS3) -> None:
    await create_s3_storage(s3).put(NAME, IMAGE, "image/png")
    assert s3.objects == {NAME: (IMAGE, "image/png")}
    assert s3.access_keys == {"the-access-key"}


async def test_an_error_of_object_storage_is_unavailable_and_not_a_missing_image(s3: FakeS3) -> None:
    storage = create_s3_storage(s3)
    await storage.put(NAME, IMAGE, "image/png")
    s3.unavailable = True
    for operation in (storage.put(NAME, IMAGE, "image/png"), storage.get(NAME), storage.remove(NAME)):
        with pytest.raises(Unavailable):
            await operation
    s3.unavailable = False
    assert await storage.get(NAME) == IMAGE
