"""Errors about knowledge sources. `code` is part of the API."""

from __future__ import annotations

from parley.chat.knowledge_sources.limits import MAX_DOCUMENT_BYTES, MAX_DOCUMENTS, MAX_SOURCES
from parley.common.errors import Conflict, NotFound, PayloadTooLarge, UnsupportedMediaType

GONE = frozenset(("not_found", "access_denied"))
"""Codes of failures after which a page is not used any more; after others, its content stays."""


class SourceNotFound(NotFound):
    code = "not_found"


class DocumentNotFound(NotFound):
    code = "not_found"


class TooManySources(Conflict):
    code = "too_many_sources"
    default_message = f"A site can have at most {MAX_SOURCES} knowledge sources."


class TooManyDocuments(Conflict):
    code = "too_many_documents"
    default_message = f"The sources of a site can have at most {MAX_DOCUMENTS} documents."


class SyncRunning(Conflict):
    code = "sync_running"
    default_message = "This source is being read already."


class NoFilesHere(Conflict):
    code = "no_files_here"
    default_message = "Files can be uploaded only to sources of the kinds file and csv."


class NothingPending(Conflict):
    code = "nothing_pending"
    default_message = "This document has no change that waits to be approved."


class KnowledgeFileTooLarge(PayloadTooLarge):
    code = "file_too_large"
    default_message = f"The file is larger than {MAX_DOCUMENT_BYTES // 2**20} MB."


class KnowledgeFileTypeNotAllowed(UnsupportedMediaType):
    code = "file_type_not_allowed"
    default_message = "Only PDF, DOCX, HTML, Markdown, CSV and plain text (UTF-8) can be read."


class DocumentError(Exception):
    """A document cannot be read. `code` is part of the API; the message is for operators."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class DocumentSkipped(DocumentError):
    """A document that is left out on purpose, as its site or the source's scope asks for it."""


class HostBusy(Exception):
    """A server asks to come back later, in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the server asks to wait for {seconds:.0f} s")
        self.seconds = seconds
