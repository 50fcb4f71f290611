"""Response body of an upload."""

from __future__ import annotations

from parley.chat.uploads.model import Upload
from parley.common.http import SuccessResponse


class UploadResponse(SuccessResponse):
    url: str
    width: int
    height: int


def serialize_upload(upload: Upload) -> UploadResponse:
    return UploadResponse(url=upload.url, width=upload.width, height=upload.height)
