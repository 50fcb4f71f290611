"""Storage of images and files, in a folder and in S3."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parley.chat.files.errors import FileInfected
from parley.chat.uploads.ports import ObjectStorage
from parley.chat.uploads.s3_storage import S3Storage
from parley.chat.uploads.storage import FolderStorage
from parley.common.errors import Unavailable
from support.fake_s3 import FakeS3, run_fake_s3
from support.wait import wait_until

NAME = f"{'a1' * 16}.png"
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@pytest.fixture
async def s3() -> AsyncIterator[FakeS3]:
    async with run_fake_s3() as fake:
        yield fake


def create_s3_storage(s3: FakeS3) -> S3Storage:
    return S3Storage(s3.endpoint, "the-access-key", "the-secret-key", "images", secure=False)


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, s3: FakeS3) -> ObjectStorage:
    return FolderStorage(tmp_path) if request.param == "folder" else create_s3_storage(s3)


async def test_a_stored_image_is_returned_until_it_is_removed(storage: ObjectStorage) -> None:
    assert await storage.get(NAME) is None
    await storage.put(NAME, IMAGE, "image/png")
    assert await storage.get(NAME) == IMAGE
    await storage.remove(NAME)
    assert await storage.get(NAME) is None
    await storage.remove(NAME)


async def test_an_image_that_cannot_be_stored_leaves_nothing_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / NAME[:2] / NAME).mkdir(parents=True)
    with pytest.raises(Unavailable):
        await FolderStorage(tmp_path).put(NAME, IMAGE, "image/png")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


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


FILE = bytes(range(256)) * 48 * 1024
"""12 MB: three parts of an upload to S3."""
FILE_NAME = f"{'b2' * 16}.file"


async def chunks(data: bytes, error: Exception | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65_536):
        yield data[start : start + 65_536]
    if error is not None:
        raise error


async def read(storage: ObjectStorage, start: int, length: int) -> bytes | None:
    part = await storage.read_range(FILE_NAME, start, length)
    return None if part is None else b"".join([chunk async for chunk in part])


async def test_a_file_is_stored_while_it_arrives_and_read_in_parts(storage: ObjectStorage) -> None:
    assert await read(storage, 0, 10) is None
    await storage.put_stream(FILE_NAME, chunks(FILE), "application/octet-stream")
    assert await read(storage, 0, len(FILE)) == FILE
    assert await read(storage, 5_000_001, 700_000) == FILE[5_000_001:5_700_001]
    await storage.remove(FILE_NAME)
    assert await read(storage, 0, 10) is None


async def test_a_file_that_turns_out_to_be_wrong_is_not_stored(
    storage: ObjectStorage, s3: FakeS3, tmp_path: Path
) -> None:
    for error, data in ((FileInfected(), FILE), (FileInfected(), b"short"), (ValueError("odd"), FILE)):
        with pytest.raises(type(error)):
            await storage.put_stream(FILE_NAME, chunks(data, error), "application/octet-stream")
    assert await storage.get(FILE_NAME) is None
    assert not s3.parts
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_a_cancelled_upload_leaves_nothing_behind(storage: ObjectStorage, s3: FakeS3, tmp_path: Path) -> None:
    arrived, stuck = asyncio.Event(), asyncio.Event()

    async def slow_chunks() -> AsyncIterator[bytes]:
        yield bytes(6_000_000)
        arrived.set()
        await stuck.wait()

    task = asyncio.create_task(storage.put_stream(FILE_NAME, slow_chunks(), "application/octet-stream"))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await wait_until(lambda: not s3.parts and not [path for path in tmp_path.rglob("*") if path.is_file()])


async def test_an_error_of_object_storage_is_unavailable_for_files_too(s3: FakeS3) -> None:
    storage = create_s3_storage(s3)
    s3.unavailable = True
    with pytest.raises(Unavailable):
        await storage.put_stream(FILE_NAME, chunks(b"data"), "application/octet-stream")
    with pytest.raises(Unavailable):
        await storage.read_range(FILE_NAME, 0, 1)
