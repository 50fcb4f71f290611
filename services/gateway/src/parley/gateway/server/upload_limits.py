"""How large an upload may be and how long it may take, by the kind of its route."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from parley.gateway.routes import RouteKind
from parley.gateway.server.request_body import (
    MAX_UPLOAD_BYTES,
    UPLOAD_FORM_BYTES,
    stream_upload,
    validate_upload_headers,
)
from parley.gateway.timeouts import MAX_FILE_BODY_SECONDS


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """`file_bytes`: the maximum size of a file that is not an image."""

    file_bytes: int

    def validate(self, kind: RouteKind, request: web.Request) -> None:
        """Reject an upload by its headers alone. Raises PayloadTooLarge, UnsupportedMediaType."""
        validate_upload_headers(request, self._max_body_bytes(kind))

    def stream(self, kind: RouteKind, request: web.Request, already_read: bytes = b"") -> AsyncIterator[bytes]:
        """Yield the body within the limits. Raises PayloadTooLarge, RequestTimeout, BadRequest."""
        seconds = MAX_FILE_BODY_SECONDS if kind is RouteKind.FILE_UPLOAD else None
        return stream_upload(request, already_read, self._max_body_bytes(kind), seconds)

    def _max_body_bytes(self, kind: RouteKind) -> int:
        return self.file_bytes + UPLOAD_FORM_BYTES if kind is RouteKind.FILE_UPLOAD else MAX_UPLOAD_BYTES
