"""Word lists, written as text."""

from __future__ import annotations


def split_words(text: str) -> list[str]:
    return text.split()
