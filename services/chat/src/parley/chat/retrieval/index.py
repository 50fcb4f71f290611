"""The index of one site in memory: every passage is compared, so what is found is exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parley.chat.retrieval.embedding_space import LOCAL_DEVIATION, LOCAL_MEAN, QuestionVectors, normalize
from parley.chat.retrieval.lexical import Floats, LexicalIndex
from parley.chat.retrieval.model import Findings, FoundPassage, Passage
from parley.chat.retrieval.ranking import Calibration, SemanticScores, build_features, get_calibration, select
from parley.chat.retrieval.text import normalize_text

MAX_CANDIDATES = 50
"""Passages, nearest by words or by meaning, that are ranked."""
_SAMPLE_ROWS = 2000
_ANSWERED_SIMILARITY = 0.65
"""Of a question with a heading that asks the same."""
_PART_SHARE = 0.65
"""Of the threshold, for the parts of a question of which one part or the whole is answered."""
_CONTEXT_SHARE = 0.5
"""How much of the whole question is added to a part of it: a part may leave out what it is about."""


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """The vectors of all passages, a row each: the heading as a question and as a passage, the whole as a passage."""

    heading: NDArray[np.float16]
    heading_as_passage: NDArray[np.float16]
    whole: NDArray[np.float16]


class SiteIndex:
    def __init__(
        self,
        passages: Sequence[Passage],
        vectors: PassageVectors | None = None,
        unrelated: QuestionVectors | None = None,
        *,
        standardize: bool = False,
        words: bool = True,
    ) -> None:
        """With `standardize`, similarities are mapped to the scale of the local model."""
        self.passages = passages
        self._vectors = vectors
        self._unrelated = unrelated
        self._by_heading = {normalize_text(one.heading): position for position, one in enumerate(passages)}
        self._lexical = LexicalIndex(passages) if words else None
        self._scale, self._shift = 1.0, 0.0
        self._sums: Floats | None = None
        if vectors is not None:
            self._sums = vectors.heading.astype(np.float32) + vectors.whole
            if standardize and unrelated is not None:
                self._standardize(vectors, unrelated.as_question)
            if unrelated is not None:
                self._unrelated = self._select_unanswered(vectors, unrelated)
        self._kind = ("both" if words else "meaning") if vectors is not None else "words"

    def search(
        self, question: str, vectors: QuestionVectors | None, clauses: Mapping[str, QuestionVectors | None], limit: int
    ) -> Findings:
        """`clauses` are the parts of the question that may ask for a fact each."""
        if not self.passages:
            return Findings()
        whole = self._estimate(question, vectors)
        candidates = map(int, np.flatnonzero(whole))
        order = sorted(candidates, key=lambda position: (-whole[position], self.passages[position].id))
        near = [self._to_found(position, whole) for position in order[:limit]]
        answers = self._find_answers(whole, vectors, clauses)
        found = [FoundPassage(self.passages[position], score) for position, score in answers.items()]
        known = {one.passage.id for one in found}
        return Findings((*found, *(one for one in near if one.passage.id not in known))[:limit], found)

    def _find_answers(
        self, whole: Floats, vectors: QuestionVectors | None, clauses: Mapping[str, QuestionVectors | None]
    ) -> dict[int, float]:
        """The passages that answer the question or its parts, with their probabilities, the whole one first."""
        threshold = self._get_calibration(vectors).threshold
        first = int(np.argmax(whole))
        candidates = {first: float(whole[first])}
        for clause, part in clauses.items():
            scores = self._estimate(clause, _add_context(part, vectors))
            best = int(np.argmax(scores))
            candidates[best] = max(candidates.get(best, 0.0), float(scores[best]))
        if max(candidates.values()) < threshold:
            return {}
        return {position: score for position, score in candidates.items() if score >= _PART_SHARE * threshold}

    def measure(self, question: str, vectors: QuestionVectors | None) -> tuple[NDArray[np.intp], Floats]:
        """The candidates for a question, and a row of features for each."""
        lexical = self._lexical.score(question) if self._lexical else None
        if self._vectors is None or vectors is None:
            assert lexical is not None
            rows = np.sort(_best(lexical.bm25, MAX_CANDIDATES))
            return rows, build_features(select(lexical, rows), None)
        assert self._sums is not None
        rows = _best(self._sums @ vectors.as_question, MAX_CANDIDATES)
        if lexical is not None:
            by_words = _best(lexical.bm25, MAX_CANDIDATES)
            rows = np.union1d(rows, by_words[lexical.bm25[by_words] > 0])
        semantic = self._compare(rows, self._vectors, vectors)
        return rows, build_features(None if lexical is None else select(lexical, rows), semantic)

    def _estimate(self, question: str, vectors: QuestionVectors | None) -> Floats:
        """The probability that it answers the question, for each passage; 0 for those that are no candidates."""
        rows, features = self.measure(question, vectors)
        scores = np.zeros(len(self.passages), np.float32)
        scores[rows] = self._get_calibration(vectors).estimate(features)
        exact = self._by_heading.get(normalize_text(question))
        if exact is not None:
            scores[exact] = 1
        return scores

    def _get_calibration(self, vectors: QuestionVectors | None) -> Calibration:
        """Words alone are compared where a question could not be embedded."""
        return get_calibration("words" if vectors is None else self._kind)

    def _compare(self, rows: NDArray[np.intp], passages: PassageVectors, question: QuestionVectors) -> SemanticScores:
        unrelated = unrelated_as_passage = 0.0
        if self._unrelated is not None and len(self._unrelated.as_question):
            unrelated = float(self._to_similarities(self._unrelated.as_question, question.as_question).max())
            unrelated_as_passage = float(self._to_similarities(self._unrelated.as_passage, question.as_passage).max())
        return SemanticScores(
            self._to_similarities(passages.heading[rows], question.as_question),
            self._to_similarities(passages.heading_as_passage[rows], question.as_passage),
            self._to_similarities(passages.whole[rows], question.as_question),
            unrelated,
            unrelated_as_passage,
        )

    def _to_similarities(self, vectors: NDArray[Any], other: Floats) -> Floats:
        return np.asarray((vectors.astype(np.float32) @ other) * self._scale + self._shift, np.float32)

    def _select_unanswered(self, vectors: PassageVectors, unrelated: QuestionVectors) -> QuestionVectors:
        """Leave out what this site does answer: "Is there Wi-Fi?" says nothing about a question to a library."""
        nearest = np.full(len(unrelated.as_question), -np.inf, np.float32)
        for start in range(0, len(vectors.heading), _SAMPLE_ROWS):
            rows = slice(start, start + _SAMPLE_ROWS)
            similarities = self._to_similarities(vectors.heading[rows], unrelated.as_question.T)
            similarities += self._to_similarities(vectors.heading_as_passage[rows], unrelated.as_passage.T)
            nearest = np.maximum(nearest, similarities.max(0) / 2)
        kept = nearest < _ANSWERED_SIMILARITY
        return QuestionVectors(unrelated.as_question[kept], unrelated.as_passage[kept])

    def _standardize(self, vectors: PassageVectors, unrelated: Floats) -> None:
        """Find the scale of a model's similarities from passages and questions that have nothing to do with them."""
        sample = vectors.heading[:: max(1, len(vectors.heading) // _SAMPLE_ROWS)].astype(np.float32)
        similarities = sample @ unrelated.T
        self._scale = LOCAL_DEVIATION / max(1e-3, float(similarities.std()))
        self._shift = LOCAL_MEAN - self._scale * float(similarities.mean())

    def _to_found(self, position: int, scores: Floats) -> FoundPassage:
        return FoundPassage(self.passages[position], float(scores[position]))


def _add_context(part: QuestionVectors | None, whole: QuestionVectors | None) -> QuestionVectors | None:
    if part is None or whole is None:
        return part
    return QuestionVectors(
        normalize(part.as_question + _CONTEXT_SHARE * whole.as_question),
        normalize(part.as_passage + _CONTEXT_SHARE * whole.as_passage),
    )


def _best(scores: Floats, limit: int) -> NDArray[np.intp]:
    """The positions of the highest scores, in no order."""
    if len(scores) <= limit:
        return np.arange(len(scores))
    return np.argpartition(-scores, limit)[:limit]
