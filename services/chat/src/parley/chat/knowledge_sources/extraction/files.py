"""Reads files: PDF, DOCX, Markdown, plain text, and CSV with questions and answers."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any

from docx import Document
from docx.opc.exceptions import OpcError
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml.etree import LxmlError
from markdown_it import MarkdownIt
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from parley.chat.knowledge_sources.errors import DocumentError
from parley.chat.knowledge_sources.extraction.charsets import decode
from parley.chat.knowledge_sources.extraction.html import read_markup
from parley.chat.knowledge_sources.extraction.model import ReadDocument, ReadRequest
from parley.chat.knowledge_sources.extraction.outline import Outline

_MAX_PDF_PAGES = 1000
_MAX_UNPACKED_BYTES = 64 * 1024 * 1024
_MAX_ZIP_ENTRIES = 5000
_MAX_ROWS = 20_000
_HEADING_STYLE = re.compile(r"heading ([1-9])\Z", re.IGNORECASE)
_HYPHENATED = re.compile(r"(\w)-\n(?=[a-zà-ÿ])")
_BLANK_LINES = re.compile(r"\n\s*\n")


def read_pdf(data: bytes, request: ReadRequest) -> ReadDocument:
    """Raises DocumentError. A scanned document has no text."""
    outline = Outline()
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentError("encrypted", "The PDF file is protected by a password.")
        if len(reader.pages) > _MAX_PDF_PAGES:
            raise DocumentError("too_many_pages", f"The PDF file has more than {_MAX_PDF_PAGES} pages.")
        headings = _find_pdf_headings(reader)
        for number, page in enumerate(reader.pages):
            for level, title in headings.get(number, ()):
                outline.add_heading(level, title)
            text = _HYPHENATED.sub(r"\1", page.extract_text())
            for paragraph in _BLANK_LINES.split(text):
                outline.add_text(paragraph)
        title = (reader.metadata.title if reader.metadata else None) or request.name
        language = reader.trailer["/Root"].get_object().get("/Lang")  # type: ignore[union-attr]
    except DocumentError:
        raise
    except Exception as exc:
        # The library raises errors of all kinds on damaged files, besides its own.
        code = "encrypted" if "crypt" in str(exc).lower() and isinstance(exc, PyPdfError) else "damaged"
        raise DocumentError(code, "The PDF file is damaged or protected, and cannot be read.") from exc
    return ReadDocument(outline.finish(str(title), str(language) if language else None))


def _find_pdf_headings(reader: PdfReader) -> dict[int, list[tuple[int, str]]]:
    """Return level and title of the bookmarks, by the number of their page."""
    headings: dict[int, list[tuple[int, str]]] = {}
    waiting: list[tuple[int, Sequence[Any]]] = [(1, reader.outline)]
    while waiting:
        level, entries = waiting.pop()
        for entry in entries:
            if isinstance(entry, list):
                waiting.append((min(level + 1, 6), entry))
                continue
            number = reader.get_destination_page_number(entry)
            if number is not None and entry.title:
                headings.setdefault(number, []).append((level, str(entry.title)))
    return headings


def read_docx(data: bytes, request: ReadRequest) -> ReadDocument:
    """Raises DocumentError."""
    outline = Outline()
    try:
        _check_archive(data)
        document = Document(io.BytesIO(data))
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                _add_table(block, outline)
            else:
                _add_paragraph(block, outline)
        properties = document.core_properties
        title, language = properties.title or request.name, properties.language
    except (OpcError, LxmlError, zipfile.BadZipFile, KeyError, ValueError, AttributeError, OSError) as exc:
        raise DocumentError("damaged", "The DOCX file is damaged or protected, and cannot be read.") from exc
    return ReadDocument(outline.finish(title, language))


def _check_archive(data: bytes) -> None:
    """Refuse an archive that would unpack to more than fits into memory."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if len(entries) > _MAX_ZIP_ENTRIES or sum(entry.file_size for entry in entries) > _MAX_UNPACKED_BYTES:
            raise DocumentError("unpacks_too_large", "The DOCX file unpacks to more than can be read.")


def _add_paragraph(paragraph: Paragraph, outline: Outline) -> None:
    style = (paragraph.style.name or "") if paragraph.style is not None else ""
    heading = _HEADING_STYLE.match(style)
    if heading or style == "Title":
        outline.add_heading(int(heading[1]) if heading else 1, paragraph.text)
    else:
        outline.add_text(paragraph.text)


def _add_table(table: Table, outline: Outline) -> None:
    for row in table.rows:
        # A merged cell appears once for each of its columns.
        texts = dict.fromkeys(cell.text.strip() for cell in row.cells)
        outline.add_text(" | ".join(filter(None, texts)))


def read_markdown(data: bytes, request: ReadRequest) -> ReadDocument:
    """Raises DocumentError."""
    markup = MarkdownIt("commonmark", {"html": True}).enable("table").render(decode(data, request.charset))
    return read_markup(f"<body>{markup}</body>", request)


def read_text(data: bytes, request: ReadRequest) -> ReadDocument:
    """Raises DocumentError."""
    outline = Outline()
    for paragraph in _BLANK_LINES.split(decode(data, request.charset)):
        outline.add_text(paragraph)
    return ReadDocument(outline.finish(request.name))


def read_csv(data: bytes, request: ReadRequest) -> ReadDocument:
    """Read questions and their answers; the first row has the names of the columns. Raises DocumentError."""
    text = decode(data, request.charset)
    outline = Outline()
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=_find_delimiter(text), strict=True)
        header = next(rows, [])
        question = _find_column(header, request.question_column, 0)
        answer = _find_column(header, request.answer_column, 1)
        for number, row in enumerate(rows):
            if number >= _MAX_ROWS:
                raise DocumentError("too_many_rows", f"The CSV file has more than {_MAX_ROWS} rows.")
            if len(row) > max(question, answer) and row[question].strip():
                outline.add_heading(1, row[question])
                for line in row[answer].split("\n"):
                    outline.add_text(line)
    except csv.Error as exc:
        raise DocumentError("damaged", "The CSV file is damaged: a quotation mark may be missing.") from exc
    return ReadDocument(outline.finish(request.name))


def _find_delimiter(text: str) -> str:
    header = text[:10_000].split("\n", 1)[0]
    return max(",;\t", key=header.count)


def _find_column(header: list[str], name: str | None, default: int) -> int:
    names = [one.strip().casefold() for one in header]
    if name is None:
        if len(names) <= default:
            raise DocumentError("column_missing", "The CSV file needs two columns: questions and answers.")
        return default
    if name.strip().casefold() not in names:
        raise DocumentError("column_missing", f"The CSV file has no column “{name}”.")
    return names.index(name.strip().casefold())
