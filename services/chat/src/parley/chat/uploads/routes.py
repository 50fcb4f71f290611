"""Routes of uploads."""

from __future__ import annotations

from parley.chat.uploads.handlers import UploadHandlers
from parley.chat.uploads.schemas import UploadResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route


def routes(handlers: UploadHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            "/api/v1/operator/upload-image",
            handlers.upload_as_operator,
            CallerType.OPERATOR,
            UploadResponse,
            "Upload an image",
            required_permission=Permission.CHAT,
            rate_limit=RateLimitClass.UPLOAD,
            request_media_type="multipart/form-data",
        ),
        Route(
            "POST",
            "/api/v1/chat/upload-image",
            handlers.upload_as_visitor,
            CallerType.VISITOR,
            UploadResponse,
            "Upload an image",
            rate_limit=RateLimitClass.UPLOAD,
            request_media_type="multipart/form-data",
        ),
    ]
