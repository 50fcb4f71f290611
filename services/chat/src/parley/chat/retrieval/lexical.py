"""BM25 over the passages of a site, and how far the words of question and passage cover each other."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parley.chat.retrieval.model import Passage
from parley.chat.retrieval.text import normalize_language, split_stems, split_terms

_SATURATION = 1.2
_LENGTH_SHARE = 0.75
_HEADING_WEIGHT = 2

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class LexicalScores:
    """For each passage of an index."""

    bm25: Floats
    coverage: Floats
    """The share of the question's terms, by weight, that the passage contains."""
    heading_coverage: Floats
    """The share of the terms of the passage's heading, by weight, that the question contains."""


class LexicalIndex:
    def __init__(self, passages: Sequence[Passage]) -> None:
        languages = [normalize_language(passage.language) for passage in passages]
        self._languages = sorted(set(languages))
        self._size = len(passages)
        postings: dict[str, tuple[array[int], array[int]]] = {}
        headings: dict[str, array[int]] = {}
        terms_of_headings: list[frozenset[str]] = []
        lengths = np.zeros(max(1, self._size), np.float32)
        for position, (passage, language) in enumerate(zip(passages, languages, strict=True)):
            heading = split_stems(passage.heading, language)
            counts = Counter(split_stems(passage.text, language))
            for term in heading:
                counts[term] += _HEADING_WEIGHT
            terms_of_headings.append(frozenset(heading))
            for term in terms_of_headings[-1]:
                headings.setdefault(term, array("I")).append(position)
            lengths[position] = counts.total()
            for term, count in counts.items():
                positions, frequencies = postings.setdefault(term, (array("I"), array("I")))
                positions.append(position)
                frequencies.append(count)
        average = float(lengths.mean()) or 1.0
        self._length_norm = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * lengths / average)
        self._postings = {
            term: (np.frombuffer(positions, np.uint32), np.frombuffer(frequencies, np.uint32))
            for term, (positions, frequencies) in postings.items()
        }
        self._headings = {term: np.frombuffer(positions, np.uint32) for term, positions in headings.items()}
        self._heading_weights = np.array(
            [sum(map(self._weight, terms)) or 1.0 for terms in terms_of_headings] or [1.0], np.float32
        )

    def score(self, question: str) -> LexicalScores:
        size = max(1, self._size)
        bm25, covered, headings = (np.zeros(size, np.float32) for _ in range(3))
        total = 0.0
        for stems in dict.fromkeys(split_terms(question, self._languages)):
            known = [stem for stem in stems if stem in self._postings]
            total += max(self._weight(stem) for stem in known or stems)
            best_bm25, best_covered, best_heading = (np.zeros(size, np.float32) for _ in range(3))
            for stem in sorted(known):
                positions, frequencies = self._postings[stem]
                weight = self._weight(stem)
                frequency = frequencies.astype(np.float32)
                gain = weight * frequency * (_SATURATION + 1) / (frequency + self._length_norm[positions])
                best_bm25[positions] = np.maximum(best_bm25[positions], gain)
                best_covered[positions] = np.maximum(best_covered[positions], weight)
                in_heading = self._headings.get(stem)
                if in_heading is not None:
                    best_heading[in_heading] = np.maximum(best_heading[in_heading], weight)
            bm25 += best_bm25
            covered += best_covered
            headings += best_heading
        return LexicalScores(bm25, covered / (total or 1.0), headings / self._heading_weights)

    def _weight(self, term: str) -> float:
        found = len(self._postings[term][0]) if term in self._postings else 0
        return math.log(1 + (self._size - found + 0.5) / (found + 0.5))
