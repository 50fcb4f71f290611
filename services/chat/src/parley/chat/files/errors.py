"""Errors about files. `code` is part of the API."""

from __future__ import annotations

from parley.chat.timeouts import UPLOAD_RETRY_AFTER_SECONDS
from parley.common.errors import (
    ErrorCategory,
    Forbidden,
    ParleyError,
    PayloadTooLarge,
    TooManyRequests,
    Unavailable,
    UnsupportedMediaType,
)


class FilesDisabled(Forbidden):
    code = "files_disabled"
    default_message = "This site accepts no files from visitors."


class FileTypeNotAllowed(UnsupportedMediaType):
    """The content is of no accepted type, or of one that the site does not accept."""

    code = "file_type_not_allowed"
    default_message = "Files of this type are not accepted. The content counts, not the name."


class FileTooLarge(PayloadTooLarge):
    code = "file_too_large"
    default_message = "The file is larger than allowed."

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The file is larger than allowed: at most {max_bytes} bytes.", max_bytes=max_bytes)


class FileInfected(ParleyError):
    category = ErrorCategory.VALIDATION_FAILED
    code = "file_infected"
    default_message = "The virus scanner refuses this file."


class ScannerUnavailable(Unavailable):
    code = "scanner_unavailable"
    default_message = "The file cannot be checked for viruses right now. Please try again later."


class TooManyFiles(TooManyRequests):
    """So many files arrive at the same time that their buffers would fill the memory."""

    code = "too_many_files"
    default_message = "Many files are being uploaded right now. Please try again in a moment."

    def __init__(self) -> None:
        super().__init__(UPLOAD_RETRY_AFTER_SECONDS)
