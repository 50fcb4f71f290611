"""What the process that reads documents is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from parley.chat.knowledge_sources.model import Content, Section

DocumentType = Literal["html", "pdf", "docx", "markdown", "text", "csv"]


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """How to read a document's bytes. `url`: the address that links are relative to."""

    type: DocumentType
    name: str = ""
    """The title of a document that has none."""
    url: str | None = None
    charset: str | None = None
    """That the server declares."""
    question_column: str | None = None
    answer_column: str | None = None


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """What a document says. The other fields are for web pages."""

    content: Content
    canonical: str | None = None
    noindex: bool = False
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sitemap:
    """Addresses of pages, or of further sitemaps."""

    pages: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()


def to_content(row: Mapping[str, Any]) -> Content:
    sections = tuple(Section(tuple(heading), text) for heading, text in row["sections"])
    return Content(row["title"], row["language"], sections)


def from_content(content: Content) -> dict[str, Any]:
    sections = [[list(section.heading), section.text] for section in content.sections]
    return {"title": content.title, "language": content.language, "sections": sections}
