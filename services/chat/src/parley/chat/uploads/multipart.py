"""Reads an image from a multipart request body, within the limit of its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from parley.chat.uploads.errors import ImageTooLarge, TooManyImages
from parley.chat.uploads.image_sanitizer import MAX_IMAGE_BYTES
from parley.common.errors import BadRequest, ValidationFailed

_MAX_OTHER_FIELD_BYTES = 4096
_CHUNK_BYTES = 65_536
_MAX_BUFFERED_BYTES = 64 * 1024 * 1024


class UploadBuffer:
    """Counts the bytes of all images that are being uploaded, so that many at the same time do not fill the memory."""

    def __init__(self, max_bytes: int = _MAX_BUFFERED_BYTES) -> None:
        self._max_bytes = max_bytes
        self._used = 0

    @contextmanager
    def read_into(self) -> Iterator[BufferedUpload]:
        """A buffer for one upload, counted until the block ends."""
        upload = BufferedUpload(self)
        try:
            yield upload
        finally:
            self._used -= len(upload.data)

    def add(self, count: int) -> None:
        if self._used + count > self._max_bytes:
            raise TooManyImages
        self._used += count


class BufferedUpload:
    """The bytes of one upload."""

    def __init__(self, buffer: UploadBuffer) -> None:
        self._buffer = buffer
        self.data = bytearray()

    def append(self, chunk: bytes) -> None:
        """Raises TooManyImages."""
        self._buffer.add(len(chunk))
        self.data += chunk


async def read_image(request: web.Request, upload: BufferedUpload) -> None:
    """Read the part named `image` or `file`.

    Raises ValidationFailed if it is missing, ImageTooLarge, TooManyImages, BadRequest.
    """
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise BadRequest("Nested multipart bodies are not supported.")
            if part.name in ("image", "file"):
                return await _read_part(part, MAX_IMAGE_BYTES, upload.append)
            await _read_part(part, _MAX_OTHER_FIELD_BYTES)
    except (ValueError, AssertionError, HttpProcessingError, web.HTTPBadRequest) as exc:
        raise BadRequest("The multipart body could not be read.") from exc
    raise ValidationFailed({"image": "is missing"})


async def _read_part(part: BodyPartReader, max_bytes: int, append: Callable[[bytes], None] | None = None) -> None:
    if part.headers.get("Content-Transfer-Encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
        raise BadRequest("Parts must not be transfer-encoded.")
    total = 0
    while chunk := await part.read_chunk(_CHUNK_BYTES):
        total += len(chunk)
        if total > max_bytes:
            raise ImageTooLarge
        if append is not None:
            append(chunk)
