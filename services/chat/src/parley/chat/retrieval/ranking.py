"""From similarities to the probability that a passage answers a question: a logistic model.

Its weights are in `calibration.json`, written by `python -m bench.answers.calibration` from one half of the
questions of `make bench BENCH=answers`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from parley.chat.retrieval.lexical import Floats, LexicalScores

_MAX_MARGIN = 0.3


@dataclass(frozen=True, slots=True)
class SemanticScores:
    """Similarities of a question with each candidate's heading, both as questions and both as passages, with its whole,
    and with the nearest unrelated question, both as questions and both as passages."""

    heading: Floats
    heading_as_passage: Floats
    whole: Floats
    unrelated: float
    unrelated_as_passage: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights of the features, by name, and the probability from which on a passage counts as an answer."""

    means: Floats
    deviations: Floats
    weights: Floats
    bias: float
    threshold: float

    def estimate(self, features: Floats) -> Floats:
        """The probability for each row of features."""
        logits = (features - self.means) / self.deviations @ self.weights + self.bias
        return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


@cache
def get_calibration(kind: str) -> Calibration:
    """`kind`: "both", "meaning" or "words", by what was compared."""
    data: Mapping[str, Mapping[str, Any]] = json.loads(
        files("parley.chat.retrieval").joinpath("calibration.json").read_text("utf-8")
    )
    row = data[kind]
    means, deviations, weights = (np.array(row[name], np.float32) for name in ("means", "deviations", "weights"))
    return Calibration(means, deviations, weights, row["bias"], row["threshold"])


def build_features(lexical: LexicalScores | None, semantic: SemanticScores | None) -> Floats:
    """A row of features for each candidate, from the scores that there are."""
    columns: list[Floats] = []
    if semantic is not None:
        # Means: the similarities differ by chance, and separate weights for them would fit the calibration set's.
        heading = (semantic.heading + semantic.heading_as_passage) / 2
        nearness = (2 * heading + semantic.whole) / 3
        unrelated = (2 * semantic.unrelated + semantic.unrelated_as_passage) / 3
        columns += [nearness, heading, semantic.whole, np.full(len(heading), unrelated, np.float32)]
        columns += [_clipped_margin(each, unrelated) for each in (nearness, heading, semantic.whole)]
    if lexical is not None:
        columns += [lexical.coverage, lexical.heading_coverage]
        if semantic is None:
            columns += [lexical.bm25 / 10, np.clip(_margin_of(lexical.bm25 / 10), -1, 1)]
    return np.stack(columns, axis=1)


def _clipped_margin(nearness: Floats, unrelated: float) -> Floats:
    """How far each candidate is above the best of the others and of the unrelated questions.

    Where there are few passages, the best of them may be far from the question and still far from the others.
    """
    return np.clip(_margin_of(np.append(nearness, unrelated))[:-1], -_MAX_MARGIN, _MAX_MARGIN)


def _margin_of(scores: Floats) -> Floats:
    """How far each score is above the best of the others."""
    if len(scores) < 2:
        return np.full(len(scores), _MAX_MARGIN, np.float32)
    second, first = np.sort(scores)[-2:]
    return np.asarray(np.where(scores == first, scores - second, scores - first), np.float32)


def select(lexical: LexicalScores, positions: Sequence[int] | np.ndarray[Any, Any]) -> LexicalScores:
    """The scores of some passages."""
    rows = np.asarray(positions)
    return LexicalScores(lexical.bm25[rows], lexical.coverage[rows], lexical.heading_coverage[rows])
