"""Groups questions that mean the same: each goes to the nearest group, by the first question of the group."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from parley.chat.retrieval.embedding_space import LOCAL_DEVIATION, LOCAL_MEAN
from parley.chat.retrieval.lexical import Floats
from parley.chat.retrieval.text import normalize_language, normalize_text, split_terms

MIN_SIMILARITY = 0.55
"""Of the meanings of two questions, for them to be the same; on the scale of the local model."""
MIN_SHARED_TERMS = 0.6
"""The share of the terms of two questions that both have, where only words are compared."""


def group_by_meaning(vectors: Floats, leaders: int, unrelated: Floats) -> list[int]:
    """The groups of the questions that follow the first `leaders` rows; rows have length 1.

    `unrelated` are questions that have nothing to do with each other: they tell the scale of another model.
    """
    scale, shift = 1.0, 0.0
    if len(unrelated) > 1:
        pairs = (unrelated @ unrelated.T)[np.triu_indices(len(unrelated), 1)]
        scale = LOCAL_DEVIATION / max(1e-3, float(pairs.std()))
        shift = LOCAL_MEAN - scale * float(pairs.mean())

    def compare(one: int, others: Sequence[int]) -> Floats:
        return np.asarray((vectors[others] @ vectors[one]) * scale + shift, np.float32)

    return _group(len(vectors), leaders, compare, MIN_SIMILARITY)


def group_by_words(texts: Sequence[tuple[str, str | None]], leaders: int) -> list[int]:
    """As `group_by_meaning`, of texts with their languages."""
    terms = [_to_terms(text, language) for text, language in texts]

    def compare(one: int, others: Sequence[int]) -> Floats:
        shared = (len(terms[one] & terms[other]) / max(1, len(terms[one] | terms[other])) for other in others)
        return np.fromiter(shared, np.float32, len(others))

    return _group(len(texts), leaders, compare, MIN_SHARED_TERMS)


def _group(count: int, leaders: int, compare: Callable[[int, Sequence[int]], Floats], threshold: float) -> list[int]:
    leading, nearest = list(range(leaders)), []
    for row in range(leaders, count):
        similarities = compare(row, leading) if leading else np.zeros(0, np.float32)
        group = int(np.argmax(similarities)) if leading else 0
        if not leading or similarities[group] < threshold:
            group = len(leading)
            leading.append(row)
        nearest.append(group)
    return nearest


def _to_terms(text: str, language: str | None) -> frozenset[str]:
    stems = frozenset(next(iter(stems)) for stems in split_terms(text, (normalize_language(language),)))
    # A text of function words alone is compared as a whole.
    return stems or frozenset({normalize_text(text)})
