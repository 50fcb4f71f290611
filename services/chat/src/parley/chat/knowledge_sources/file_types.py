"""The type of a file, by its content; among texts, by its name."""

from __future__ import annotations

import codecs
import re

from parley.chat.files.model import FileType
from parley.chat.files.names import sanitize_name
from parley.chat.knowledge_sources.errors import KnowledgeFileTypeNotAllowed
from parley.chat.knowledge_sources.extraction.model import DocumentType

_HTML = (b"<!doctype html", b"<html", b"<head", b"<body")
_NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD_BYTES = 64 * 1024


_ENDINGS: dict[DocumentType, tuple[str, ...]] = {
    "pdf": ("pdf",),
    "docx": ("docx",),
    "html": ("html", "htm"),
    "markdown": ("md", "markdown"),
    "text": ("txt", "csv", "tsv", "log", "text"),
    "csv": ("csv", "txt", "tsv"),
}


def clean_file_name(name: str, document_type: DocumentType) -> str:
    """Return the name without a path and control characters, with an ending of its type."""
    return sanitize_name(name, FileType("document", "", _ENDINGS[document_type]))


def find_document_type(name: str, data: bytes) -> DocumentType:
    """Return how to read a file; its beginning is enough. Raises KnowledgeFileTypeNotAllowed."""
    head = data[:_HEAD_BYTES]
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        if b"[Content_Types].xml" in head or b"word/" in head:
            return "docx"
        raise KnowledgeFileTypeNotAllowed
    if not head.startswith(_MARKS[1:]) and _NOT_IN_TEXT.search(head):
        raise KnowledgeFileTypeNotAllowed
    if head.removeprefix(codecs.BOM_UTF8).lstrip().lower().startswith(_HTML):
        return "html"
    ending = name.lower().rpartition(".")[2]
    return "markdown" if ending in ("md", "markdown") else "html" if ending in ("html", "htm") else "text"
