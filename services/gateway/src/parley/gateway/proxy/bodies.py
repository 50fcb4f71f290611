"""Bodies as they come in: bounded in size and in time before anybody looks at them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import TypeVar

from aiohttp import web
from aiohttp.client_exceptions import ClientPayloadError
from pydantic import BaseModel, ValidationError

from parley.common.errors import Invalid, Malformed, Slow, TooLarge, UnsupportedMedia
from parley.common.http import error_responses

JSON_BYTES = 64 * 1024
"""The largest JSON body."""
UPLOAD_BYTES = 10 * 1024 * 1024 + 64 * 1024
"""The largest upload: an image, and what multipart puts around it."""

_JSON_SECONDS = 10.0
_UPLOAD_SECONDS = 60.0
_PEEK_BYTES = 64 * 1024
_BOUNDARY = re.compile(r'boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_FIELD = re.compile(rb'(?:^|;)\s*name="?([^";\r\n]*)"?', re.IGNORECASE)

BodyT = TypeVar("BodyT", bound=BaseModel)


def refuse_encoded(request: web.Request) -> None:
    """Compressed requests are not taken: what they unpack to has no bound. Raises UnsupportedMedia."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("Send the body without Content-Encoding.")


async def small(request: web.Request) -> bytes:
    """A body of at most 64 KB. Raises TooLarge, Slow."""
    content = request.content
    if (request.content_length or 0) > JSON_BYTES:
        raise TooLarge(f"The body may have at most {JSON_BYTES} bytes.")
    if content.is_eof():
        return _bounded(content.read_nowait(-1))
    parts = b""
    try:
        async with asyncio.timeout(_JSON_SECONDS):
            while part := await content.readany():
                parts = _bounded(parts + part)
    except TimeoutError as exc:
        raise Slow from exc
    except (ClientPayloadError, web.RequestPayloadError) as exc:
        raise Malformed from exc
    return parts


def _bounded(raw: bytes) -> bytes:
    if len(raw) > JSON_BYTES:
        raise TooLarge(f"The body may have at most {JSON_BYTES} bytes.")
    return raw


def parsed(kind: type[BodyT], request: web.Request, raw: bytes) -> BodyT:
    """A JSON body as what it should be. Raises UnsupportedMedia, Malformed, Invalid."""
    if request.content_type != "application/json":
        raise UnsupportedMedia("This takes application/json.")
    try:
        return kind.model_validate_json(raw if raw.strip() else b"{}")
    except ValidationError as exc:
        raise error_responses.invalid(exc) from exc


async def upload(request: web.Request, first: bytes = b"") -> AsyncIterator[bytes]:
    """An upload in parts, `first` before the rest. Raises TooLarge, Slow."""
    total = len(first)
    if first:
        yield first
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _UPLOAD_SECONDS
    while part := await _part(request, deadline):
        total += len(part)
        if total > UPLOAD_BYTES:
            raise TooLarge(f"An upload may have at most {UPLOAD_BYTES} bytes.")
        yield part


def check_upload(request: web.Request) -> None:
    """Refuse what says of itself that it is too large or no form. Raises TooLarge, UnsupportedMedia."""
    refuse_encoded(request)
    if request.content_type != "multipart/form-data":
        raise UnsupportedMedia("This takes multipart/form-data.")
    if (request.content_length or 0) > UPLOAD_BYTES:
        raise TooLarge(f"An upload may have at most {UPLOAD_BYTES} bytes.")


async def first_fields(request: web.Request, names: tuple[str, ...]) -> tuple[dict[str, str], bytes]:
    """The named form fields, which come before the file, and the bytes that were read to find them.

    Raises Invalid for fields that are not within the first 64 KB, Malformed, Slow.
    """
    boundary = _BOUNDARY.search(request.headers.get("Content-Type", ""))
    if boundary is None:
        raise Malformed("The form has no boundary.")
    mark = b"--" + (boundary[1] or boundary[2]).encode()
    deadline = asyncio.get_running_loop().time() + _JSON_SECONDS
    raw = b""
    while True:
        fields, more = _fields(raw, mark)
        if all(name in fields for name in names) or not more or len(raw) > _PEEK_BYTES:
            break
        part = await _part(request, deadline)
        if not part:
            break
        raw += part
    missing = {name: "is missing, or does not come before the file" for name in names if name not in fields}
    if missing:
        raise Invalid(missing)
    return fields, raw


def _fields(raw: bytes, mark: bytes) -> tuple[dict[str, str], bool]:
    """The whole text fields before the first file; and whether more of the body could show more of them."""
    fields: dict[str, str] = {}
    for piece in (b"\r\n" + raw).split(b"\r\n" + mark)[1:-1]:
        head, separator, value = piece.partition(b"\r\n\r\n")
        name = _disposition(head)
        if not separator or name is None:
            return fields, False
        fields.setdefault(name, value.decode("utf-8", "replace"))
    head, separator, _ = (b"\r\n" + raw).rpartition(b"\r\n" + mark)[2].partition(b"\r\n\r\n")
    return fields, not separator or _disposition(head) is not None


def _disposition(head: bytes) -> str | None:
    """The name of a text field; None for a file."""
    for line in head.split(b"\r\n"):
        kind, _, value = line.partition(b":")
        if kind.strip().lower() == b"content-disposition":
            found = _FIELD.search(value)
            if found is None or b"filename" in value.lower():
                return None
            return found[1].decode("utf-8", "replace")
    return None


async def _part(request: web.Request, deadline: float) -> bytes:
    try:
        async with asyncio.timeout_at(deadline):
            return await request.content.readany()
    except TimeoutError as exc:
        raise Slow from exc
    except (ClientPayloadError, web.RequestPayloadError) as exc:
        raise Malformed from exc
