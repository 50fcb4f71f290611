"""Routes of files."""

from __future__ import annotations

from parley.chat.files.handlers import FileHandlers
from parley.chat.files.schemas import FileResponse, UploadFileQuery
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route


def routes(handlers: FileHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            "/api/v1/operator/upload-file",
            handlers.upload_as_operator,
            CallerType.OPERATOR,
            FileResponse,
            "Upload a file",
            required_permission=Permission.CHAT,
            query=UploadFileQuery,
            rate_limit=RateLimitClass.UPLOAD,
            request_media_type="multipart/form-data",
            upload_field="file",
        ),
        Route(
            "POST",
            "/api/v1/chat/upload-file",
            handlers.upload_as_visitor,
            CallerType.VISITOR,
            FileResponse,
            "Upload a file",
            rate_limit=RateLimitClass.UPLOAD,
            request_media_type="multipart/form-data",
            upload_field="file",
        ),
    ]
