"""The routes of knowledge sources."""

from __future__ import annotations

from typing import Any

from parley.chat.knowledge_sources.handlers import SourceHandlers
from parley.chat.knowledge_sources.schemas import (
    ApprovedResponse,
    DocumentBody,
    DocumentChangesResponse,
    DocumentsQuery,
    KnowledgeDocumentResponse,
    KnowledgeDocumentsResponse,
    KnowledgeSourceResponse,
    KnowledgeSourcesResponse,
    SourceBody,
    SourceChangeBody,
)
from parley.chat.paging.schemas import PageQuery
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_SOURCES = "/api/v1/sites/{site_id}/knowledge/sources"
_SOURCE = f"{_SOURCES}/{{source_id}}"
_DOCUMENTS = f"{_SOURCE}/documents"
_DOCUMENT = f"{_DOCUMENTS}/{{document_id}}"
_OPERATOR = CallerType.OPERATOR
_EXAMPLE = {"kind": "crawl", "name": "Help pages", "url": "https://www.example.com/help/", "max_pages": 50}
_READ: Any = {"required_permission": Permission.MANAGE}
_WRITE: Any = {"required_permission": Permission.MANAGE, "rate_limit": RateLimitClass.WRITE}
_UPLOAD: Any = {
    "required_permission": Permission.MANAGE,
    "rate_limit": RateLimitClass.UPLOAD,
    "request_media_type": "multipart/form-data",
    "upload_field": "file",
    "status": 201,
}


def routes(handlers: SourceHandlers) -> list[Route]:
    return [*_source_routes(handlers), *_document_routes(handlers)]


def _source_routes(handlers: SourceHandlers) -> list[Route]:
    one, many = KnowledgeSourceResponse, KnowledgeSourcesResponse
    summary = "A site's knowledge sources, with the progress of their syncs"
    return [
        Route("GET", _SOURCES, handlers.list_page, _OPERATOR, many, summary, query=PageQuery, **_READ),
        Route(
            "POST",
            _SOURCES,
            handlers.create,
            _OPERATOR,
            one,
            "Add a knowledge source",
            body=SourceBody,
            status=201,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route("GET", _SOURCE, handlers.get, _OPERATOR, one, "A knowledge source", **_READ),
        Route(
            "PUT",
            _SOURCE,
            handlers.update,
            _OPERATOR,
            one,
            "Change a knowledge source",
            body=SourceChangeBody,
            example={"name": "Help", "enabled": True, "schedule": "daily", "review": False},
            **_WRITE,
        ),
        Route("DELETE", _SOURCE, handlers.delete, _OPERATOR, OkResponse, "Delete a knowledge source", **_WRITE),
        Route("POST", f"{_SOURCE}/sync", handlers.sync, _OPERATOR, one, "Read a knowledge source again now", **_WRITE),
        Route(
            "POST",
            f"{_SOURCE}/approve",
            handlers.approve_all,
            _OPERATOR,
            ApprovedResponse,
            "Let all changes of a knowledge source go live",
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_SOURCE}/upload-file",
            handlers.upload,
            _OPERATOR,
            KnowledgeDocumentResponse,
            "Upload a file into a knowledge source",
            **_UPLOAD,
        ),
    ]


def _document_routes(handlers: SourceHandlers) -> list[Route]:
    one, many = KnowledgeDocumentResponse, KnowledgeDocumentsResponse
    return [
        Route(
            "GET",
            _DOCUMENTS,
            handlers.list_documents,
            _OPERATOR,
            many,
            "The documents of a knowledge source",
            query=DocumentsQuery,
            **_READ,
        ),
        Route(
            "PUT",
            _DOCUMENT,
            handlers.update_document,
            _OPERATOR,
            one,
            "Use a document for answers, or not",
            body=DocumentBody,
            example={"enabled": True},
            **_WRITE,
        ),
        Route(
            "DELETE",
            _DOCUMENT,
            handlers.delete_document,
            _OPERATOR,
            OkResponse,
            "Delete an uploaded document",
            **_WRITE,
        ),
        Route(
            "GET",
            f"{_DOCUMENT}/changes",
            handlers.get_changes,
            _OPERATOR,
            DocumentChangesResponse,
            "What a change that waits to be approved changes",
            **_READ,
        ),
        Route(
            "POST",
            f"{_DOCUMENT}/approve",
            handlers.approve,
            _OPERATOR,
            ApprovedResponse,
            "Let the change of a document go live",
            **_WRITE,
        ),
        Route(
            "POST", f"{_DOCUMENT}/reject", handlers.reject, _OPERATOR, one, "Drop the change of a document", **_WRITE
        ),
    ]
