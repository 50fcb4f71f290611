"""Reads an image from a multipart request body, within the limit of its size."""

from __future__ import annotations

from aiohttp import BodyPartReader, web

from parley.chat.uploads.errors import ImageTooLarge
from parley.chat.uploads.image_sanitizer import MAX_IMAGE_BYTES
from parley.common.errors import BadRequest, ValidationFailed

_MAX_OTHER_FIELD_BYTES = 4096
_CHUNK_BYTES = 65_536


async def read_image(request: web.Request) -> bytes:
    """Read the part named `image` or `file`. Raises ValidationFailed if it is missing, ImageTooLarge, BadRequest."""
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise BadRequest("Nested multipart bodies are not supported.")
            if part.name in ("image", "file"):
                return await _read_part(part, MAX_IMAGE_BYTES)
            await _read_part(part, _MAX_OTHER_FIELD_BYTES)
    except (ValueError, AssertionError, web.HTTPBadRequest) as exc:
        raise BadRequest("The multipart body could not be read.") from exc
    raise ValidationFailed({"image": "is missing"})


async def _read_part(part: BodyPartReader, max_bytes: int) -> bytes:
    if part.headers.get("Content-Transfer-Encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
        raise BadRequest("Parts must not be transfer-encoded.")
    data = bytearray()
    while chunk := await part.read_chunk(_CHUNK_BYTES):
        data += chunk
        if len(data) > max_bytes:
            raise ImageTooLarge
    return bytes(data)
