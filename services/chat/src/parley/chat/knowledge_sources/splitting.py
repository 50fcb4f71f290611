"""Splits the sections of a document into passages of some 120 to 220 words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from parley.chat.knowledge_sources.model import Content, Section, SourcePassage

TARGET_WORDS = 120
"""A passage of this length is complete."""
MAX_WORDS = 220
_JOINED_WORDS = 40
"""A remainder below this is joined to the passage before it."""

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_CHARACTERS_PER_WORD = 2
"""In writing without spaces."""


def split_content(document_id: int, url: str | None, content: Content) -> list[SourcePassage]:
    """Return the passages of a document. A passage never extends over two sections."""
    passages: list[SourcePassage] = []
    for section in content.sections:
        for text in split_section(section):
            passages.append(
                SourcePassage(document_id, len(passages), content.title, section.heading, text, url, content.language)
            )
    return passages


def count_passages(content: Content) -> int:
    return sum(1 for section in content.sections for _ in split_section(section))


def split_section(section: Section) -> list[str]:
    """Return the texts of a section's passages."""
    passages: list[str] = []
    parts: list[str] = []
    words = 0
    for separator, unit in _list_units(section.text):
        length = count_words(unit)
        if parts and (words >= TARGET_WORDS or words + length > MAX_WORDS):
            passages.append("".join(parts).strip())
            parts, words = [], 0
        parts += [separator, unit]
        words += length
    rest = "".join(parts).strip()
    if rest and passages and words < _JOINED_WORDS and count_words(passages[-1]) + words <= MAX_WORDS:
        passages[-1] = f"{passages[-1]}\n{rest}"
    elif rest:
        passages.append(rest)
    return passages


def count_words(text: str) -> int:
    """Count words; in writing without spaces, two characters count as one."""
    unspaced = len(_UNSPACED.findall(text))
    return len(_UNSPACED.sub(" ", text).split()) + -(-unspaced // _CHARACTERS_PER_WORD)


def _list_units(text: str) -> Iterator[tuple[str, str]]:
    """Yield paragraphs, long ones by sentence, and long sentences by words; each after what separates it."""
    for paragraph in filter(None, (line.strip() for line in text.split("\n"))):
        if count_words(paragraph) <= MAX_WORDS:
            yield "\n", paragraph
            continue
        separator = "\n"
        for sentence in filter(None, _SENTENCE_END.split(paragraph)):
            for piece in _cut(sentence):
                yield separator, piece
                separator = " "


def _cut(sentence: str) -> Sequence[str]:
    if count_words(sentence) <= MAX_WORDS:
        return [sentence]
    words = sentence.split()
    if len(words) > 1 and max(map(len, words)) <= MAX_WORDS:
        return [" ".join(words[start : start + MAX_WORDS]) for start in range(0, len(words), MAX_WORDS)]
    size = MAX_WORDS * _CHARACTERS_PER_WORD
    return [sentence[start : start + size] for start in range(0, len(sentence), size)]
