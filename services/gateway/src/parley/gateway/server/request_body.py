"""Request bodies, read with a limit on their size and on the time they take."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import TypeVar

from aiohttp import web
from aiohttp.client_exceptions import ClientPayloadError
from pydantic import ValidationError

from parley.common.errors import BadRequest, PayloadTooLarge, RequestTimeout, UnsupportedMediaType, ValidationFailed
from parley.common.http import RequestBody, error_responses
from parley.gateway.timeouts import JSON_BODY_TIMEOUT_SECONDS, UPLOAD_BODY_TIMEOUT_SECONDS

MAX_JSON_BYTES = 128 * 1024
"""8,000 characters have up to 96,000 bytes in JSON, if a client escapes them all."""
MAX_UPLOAD_BYTES = 10 * 1024 * 1024 + 64 * 1024
"""An image, and the form around it."""

UPLOAD_FORM_BYTES = 64 * 1024
"""What the form around a file may have."""
_MIN_UPLOAD_BYTES_PER_SECOND = 16 * 1024

_MAX_PEEK_BYTES = 64 * 1024
_BOUNDARY = re.compile(r'boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_FIELD_NAME = re.compile(rb'(?:^|;)\s*name="?([^";\r\n]*)"?', re.IGNORECASE)

BodyT = TypeVar("BodyT", bound=RequestBody)


def reject_content_encoding(request: web.Request) -> None:
    """Raise UnsupportedMediaType for a compressed body: its uncompressed size has no limit."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without Content-Encoding.")


async def read_json_body(request: web.Request) -> bytes:
    """Read a body of at most 128 KB within 10 s. Raises PayloadTooLarge, RequestTimeout, BadRequest."""
    content = request.content
    if (request.content_length or 0) > MAX_JSON_BYTES:
        raise PayloadTooLarge(f"The body may have at most {MAX_JSON_BYTES} bytes.")
    if content.is_eof():
        return _check_size(content.read_nowait(-1))
    body = b""
    try:
        async with asyncio.timeout(JSON_BODY_TIMEOUT_SECONDS):
            while part := await content.readany():
                body = _check_size(body + part)
    except TimeoutError as exc:
        raise RequestTimeout from exc
    except (ClientPayloadError, web.RequestPayloadError) as exc:
        raise BadRequest from exc
    return body


def _check_size(body: bytes) -> bytes:
    if len(body) > MAX_JSON_BYTES:
        raise PayloadTooLarge(f"The body may have at most {MAX_JSON_BYTES} bytes.")
    return body


def parse_json(schema: type[BodyT], request: web.Request, body: bytes) -> BodyT:
    """Validate a JSON body; an empty one counts as `{}`. Raises UnsupportedMediaType, BadRequest, ValidationFailed."""
    if request.content_type != "application/json":
        raise UnsupportedMediaType("This endpoint accepts application/json.")
    try:
        return schema.parse_json(body)
    except ValidationError as exc:
        raise error_responses.validation_error(exc) from exc


def validate_upload_headers(request: web.Request, max_bytes: int = MAX_UPLOAD_BYTES) -> None:
    """Reject an upload by its headers alone. Raises PayloadTooLarge, UnsupportedMediaType."""
    reject_content_encoding(request)
    if request.content_type != "multipart/form-data":
        raise UnsupportedMediaType("This endpoint accepts multipart/form-data.")
    if (request.content_length or 0) > max_bytes:
        raise PayloadTooLarge(f"An upload may have at most {max_bytes} bytes.")


async def stream_upload(
    request: web.Request, already_read: bytes = b"", max_bytes: int = MAX_UPLOAD_BYTES, max_seconds: float | None = None
) -> AsyncIterator[bytes]:
    """Yield `already_read`, then the rest of the body as it arrives.

    It has 60 s, and with `max_seconds` up to that, as long as it arrives with 16 KB/s.
    Raises PayloadTooLarge, RequestTimeout, BadRequest.
    """
    total = len(already_read)
    if already_read:
        yield already_read
    started = asyncio.get_running_loop().time()
    deadline = started + UPLOAD_BODY_TIMEOUT_SECONDS
    while part := await _read_part(request, deadline):
        total += len(part)
        if total > max_bytes:
            raise PayloadTooLarge(f"An upload may have at most {max_bytes} bytes.")
        if max_seconds is not None:
            allowed = min(UPLOAD_BODY_TIMEOUT_SECONDS + total / _MIN_UPLOAD_BYTES_PER_SECOND, max_seconds)
            deadline = started + allowed
        yield part


async def peek_form_fields(request: web.Request, names: tuple[str, ...]) -> tuple[dict[str, str], bytes]:
    """Read the form up to the named text fields, which must precede the file.

    Returns the fields and the bytes that were read. Raises ValidationFailed if a field is not within the first 64 KB,
    BadRequest, RequestTimeout.
    """
    boundary = _BOUNDARY.search(request.headers.get("Content-Type", ""))
    if boundary is None:
        raise BadRequest("The form has no boundary.")
    delimiter = b"--" + (boundary[1] or boundary[2]).encode()
    deadline = asyncio.get_running_loop().time() + JSON_BODY_TIMEOUT_SECONDS
    body = b""
    while True:
        fields, may_continue = _parse_fields(body, delimiter)
        if all(name in fields for name in names) or not may_continue or len(body) > _MAX_PEEK_BYTES:
            break
        part = await _read_part(request, deadline)
        if not part:
            break
        body += part
    missing = {name: "is missing, or does not come before the file" for name in names if name not in fields}
    if missing:
        raise ValidationFailed(missing)
    return fields, body


def _parse_fields(body: bytes, delimiter: bytes) -> tuple[dict[str, str], bool]:
    """Return the complete text fields before the first file, and whether more of the body could add fields."""
    fields: dict[str, str] = {}
    for piece in (b"\r\n" + body).split(b"\r\n" + delimiter)[1:-1]:
        head, separator, value = piece.partition(b"\r\n\r\n")
        name = _text_field_name(head)
        if not separator or name is None:
            return fields, False
        fields.setdefault(name, value.decode("utf-8", "replace"))
    head, separator, _ = (b"\r\n" + body).rpartition(b"\r\n" + delimiter)[2].partition(b"\r\n\r\n")
    return fields, not separator or _text_field_name(head) is not None


def _text_field_name(head: bytes) -> str | None:
    """Return the name of a text field; None for a file."""
    for line in head.split(b"\r\n"):
        header, _, value = line.partition(b":")
        if header.strip().lower() == b"content-disposition":
            match = _FIELD_NAME.search(value)
            if match is None or b"filename" in value.lower():
                return None
            return match[1].decode("utf-8", "replace")
    return None


async def _read_part(request: web.Request, deadline: float) -> bytes:
    try:
        async with asyncio.timeout_at(deadline):
            return await request.content.readany()
    except TimeoutError as exc:
        raise RequestTimeout from exc
    except (ClientPayloadError, web.RequestPayloadError) as exc:
        raise BadRequest from exc
