"""Images are decoded in a process that can die alone."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from parley.chat.uploads.errors import ImageTooLarge, NotAnImage, TooManyImages
from parley.chat.uploads.image_sanitizer import WorkerImageSanitizer
from parley.chat.uploads.multipart import UploadBuffer


def png(side: int = 20) -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (side, side), (255, 0, 0)).save(output, "PNG")
    return output.getvalue()


@pytest.fixture
async def sanitizer() -> AsyncIterator[WorkerImageSanitizer]:
    sanitizer = WorkerImageSanitizer(max_waiting=2)
    yield sanitizer
    await sanitizer.close()


async def test_after_a_refused_image_the_next_one_is_encoded(sanitizer: WorkerImageSanitizer) -> None:
    with pytest.raises(NotAnImage):
        await sanitizer.sanitize(b"GIF89a")
    assert (await sanitizer.sanitize(png())).width == 20


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
async def test_the_largest_image_is_scaled_down_in_the_memory_of_the_process(
    sanitizer: WorkerImageSanitizer, mode: str
) -> None:
    output = io.BytesIO()
    Image.new(mode, (8000, 5000)).save(output, "PNG", compress_level=1)
    scaled = await sanitizer.scale_down(output.getvalue())
    assert scaled.width == 1024
    assert scaled.height in (640, 641)


async def test_an_image_that_ends_the_process_is_refused_and_the_next_one_is_encoded() -> None:
    """A16: an image that ends the worker process is refused, and the next one is encoded."""
    sanitizer = WorkerImageSanitizer(timeout_seconds=0.001)
    with pytest.raises(ImageTooLarge):
        await sanitizer.sanitize(png())
    sanitizer._timeout_seconds = 30
    assert (await sanitizer.sanitize(png())).width == 20
    process = sanitizer._process
    assert process is not None
    process.kill()
    await process.wait()
    assert (await sanitizer.sanitize(png(30))).width == 30
    await sanitizer.close()


async def test_a_cancelled_upload_does_not_get_its_answer_to_the_next_one(sanitizer: WorkerImageSanitizer) -> None:
    await sanitizer.sanitize(png())
    task = asyncio.create_task(sanitizer.sanitize(png(3000)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await sanitizer.sanitize(png(40))).width == 40


async def test_the_queue_is_bounded(sanitizer: WorkerImageSanitizer) -> None:
    """A16: the queue of images is bounded."""
    results = await asyncio.gather(*(sanitizer.sanitize(png()) for _ in range(4)), return_exceptions=True)
    assert [type(result) for result in results].count(TooManyImages) == 2


def test_the_bytes_of_all_uploads_together_are_bounded() -> None:
    buffer = UploadBuffer(10)
    with buffer.read_into() as one, buffer.read_into() as two:
        one.append(b"123456")
        with pytest.raises(TooManyImages):
            two.append(b"12345")
    with buffer.read_into() as three:
        three.append(b"1234567890")
