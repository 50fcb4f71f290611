"""Reads a file from a multipart request body, chunk by chunk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.client_exceptions import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError

from parley.common.errors import BadRequest, ValidationFailed

_MAX_FIELD_BYTES = 4096
_CHUNK_BYTES = 65_536
_MAX_RECORDING_LENGTH = 24 * 3600
_UNREADABLE = (
    ValueError,
    AssertionError,
    HttpProcessingError,
    web.HTTPBadRequest,
    ClientPayloadError,
    web.RequestPayloadError,
    ConnectionError,
)


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file whose content has not been read. `duration` in seconds, if the form names one before the file."""

    name: str
    duration: float | None
    part: BodyPartReader
    form: MultipartReader

    async def read_chunks(self) -> AsyncIterator[bytes]:
        """Raises BadRequest."""
        while True:
            try:
                chunk = await self.part.read_chunk(_CHUNK_BYTES)
                if not chunk:
                    # Raises if the body ended before the form did: the file is not complete.
                    await self.form.next()
            except _UNREADABLE as exc:
                raise BadRequest("The multipart body could not be read.") from exc
            if not chunk:
                return
            yield chunk


async def open_file(request: web.Request) -> IncomingFile:
    """Read the form up to the part named `file`. Raises ValidationFailed if it is missing, BadRequest."""
    try:
        return await _find_file(await request.multipart())
    except _UNREADABLE as exc:
        raise BadRequest("The multipart body could not be read.") from exc


async def _find_file(reader: MultipartReader) -> IncomingFile:
    duration = None
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise BadRequest("Nested multipart bodies are not supported.")
        encoding = part.headers.get("Content-Transfer-Encoding", "binary").lower()
        if encoding not in ("binary", "8bit", "7bit") or "Content-Encoding" in part.headers:
            raise BadRequest("Parts must not be encoded.")
        if part.name == "file":
            return IncomingFile(part.filename or "", duration, part, reader)
        value = await _read_field(part)
        if part.name == "duration":
            duration = _parse_duration(value)
    raise ValidationFailed({"file": "is missing"})


async def _read_field(part: BodyPartReader) -> bytes:
    value = b""
    while chunk := await part.read_chunk(_MAX_FIELD_BYTES):
        value += chunk
        if len(value) > _MAX_FIELD_BYTES:
            raise BadRequest("A field before the file is too long.")
    return value


def _parse_duration(value: bytes) -> float:
    try:
        seconds = float(value.decode("ascii"))
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= _MAX_RECORDING_LENGTH:
        raise ValidationFailed({"duration": "must be a number of seconds, at most a day"})
    return round(seconds, 1)
