"""Queries and responses of the file endpoints."""

from __future__ import annotations

from pydantic import BaseModel, Field

from parley.chat.files.model import FilePolicy
from parley.common.events.schemas import FileKind, FileSchema
from parley.common.http import Id, Query, SuccessResponse


class UploadFileQuery(Query):
    site_id: Id | None = Field(
        None, description="The site where it will be sent: its limits apply. Without it, they apply when it is sent."
    )


class FileResponse(SuccessResponse):
    file: FileSchema


class FileLimitsSchema(BaseModel):
    """What a visitor may send."""

    enabled: bool
    kinds: list[FileKind]
    max_bytes: int


def serialize_limits(policy: FilePolicy, *, enabled: bool) -> FileLimitsSchema:
    return FileLimitsSchema(
        enabled=enabled and bool(policy.kinds), kinds=sorted(policy.kinds), max_bytes=policy.max_bytes
    )
