"""The part of a long passage that has most of a question's words."""

from __future__ import annotations

import re

from parley.chat.retrieval.model import Passage
from parley.chat.retrieval.text import normalize_language, split_terms

MAX_WHOLE_CHARACTERS = 500
"""A passage of this length is an answer as a whole."""
_SENTENCES = 3
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+")


def find_excerpt(passage: Passage, question: str) -> str:
    """The sentences in a row that share most terms with the question; the whole passage if none does."""
    if len(passage.text) <= MAX_WHOLE_CHARACTERS:
        return passage.text
    languages = (normalize_language(passage.language),)
    asked = frozenset().union(*split_terms(question, languages))
    sentences = [sentence for sentence in _SENTENCE_END.split(passage.text) if sentence.strip()]
    shared = [frozenset().union(*split_terms(sentence, languages)) & asked for sentence in sentences]
    if not any(shared):
        return passage.text
    windows = range(max(1, len(sentences) - _SENTENCES + 1))
    best = max(windows, key=lambda start: (len(frozenset().union(*shared[start : start + _SENTENCES])), -start))
    return " ".join(sentences[best : best + _SENTENCES])
