"""Collects the sections of a document from its headings and texts, in their order."""

from __future__ import annotations

import re

from parley.chat.knowledge_sources.errors import DocumentError
from parley.chat.knowledge_sources.limits import MAX_SECTIONS, MAX_TEXT_CHARACTERS
from parley.chat.knowledge_sources.model import Content, Section

_SPACES = re.compile(r"[\s\u00a0\u200b\ufeff]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}\Z")
MAX_HEADING_CHARACTERS = 200
MAX_TITLE_CHARACTERS = 300


class Outline:
    def __init__(self) -> None:
        self._headings: list[tuple[int, str]] = []
        self._lines: list[str] = []
        self._sections: list[Section] = []
        self._characters = 0

    def add_heading(self, level: int, text: str) -> None:
        """Begin a section. It ends those of the same level and of lower ones."""
        text = collapse(text)[:MAX_HEADING_CHARACTERS]
        if not text:
            return
        self._end_section()
        self._headings = [heading for heading in self._headings if heading[0] < level]
        self._headings.append((level, text))

    def add_text(self, text: str) -> None:
        """Add a paragraph. Raises DocumentError if the document becomes too long."""
        text = collapse(text)
        if not text:
            return
        self._characters += len(text)
        if self._characters > MAX_TEXT_CHARACTERS or len(self._sections) >= MAX_SECTIONS:
            raise DocumentError("too_much_text", "The document has more text than can be read.")
        self._lines.append(text)

    def finish(self, title: str, language: str | None = None) -> Content:
        """Raises DocumentError if there is no text."""
        self._end_section()
        if not self._sections:
            raise DocumentError("no_text", "The document has no text that can be read.")
        return Content(collapse(title)[:MAX_TITLE_CHARACTERS], clean_language(language), tuple(self._sections))

    def _end_section(self) -> None:
        if self._lines:
            path = tuple(text for _, text in self._headings)
            self._sections.append(Section(path, "\n".join(self._lines)))
            self._lines = []


def collapse(text: str) -> str:
    """Return a text on one line, with single spaces."""
    return _SPACES.sub(" ", text).replace("\x00", "").strip()


def clean_language(tag: str | None) -> str | None:
    """Return a language tag; None for what is none."""
    tag = (tag or "").strip().replace("_", "-")
    return tag if _LANGUAGE.match(tag) else None
