"""What is done to embeddings before they are compared.

Embeddings of a multilingual model contain which language a text is in; without that part, a question is nearest to
what answers it in any language. Questions that no site answers are the measure of how near is near.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from parley.chat.retrieval.lexical import Floats

LOCAL_MEAN, LOCAL_DEVIATION = 0.03, 0.16
"""Of the similarities between the local model's vectors of unrelated texts, for which the ranking is calibrated."""


@dataclass(frozen=True, slots=True)
class LanguageFilter:
    """Removes a mean and the directions in which languages differ, then scales vectors to length 1."""

    mean: Floats
    directions: Floats

    def apply(self, vectors: Floats) -> Floats:
        centred = vectors - self.mean
        return normalize(centred - (centred @ self.directions.T) @ self.directions)


@dataclass(frozen=True, slots=True)
class QuestionVectors:
    """One question, or a row for each of several, embedded as a question and as a passage.

    Both are the same for models that know no difference.
    """

    as_question: Floats
    as_passage: Floats


@dataclass(frozen=True, slots=True)
class LocalReference:
    """Constants of the local model, written by `python -m bench.answers.calibration`."""

    as_question: LanguageFilter
    as_passage: LanguageFilter
    unrelated: QuestionVectors
    """Questions that no site answers."""


def load_local_reference() -> LocalReference:
    path = files("parley.chat.retrieval").joinpath("local_reference.npz")
    with path.open("rb") as file, np.load(file) as data:
        arrays = {name: data[name].astype(np.float32) for name in data.files}
    return LocalReference(
        LanguageFilter(arrays["question_mean"], arrays["question_directions"]),
        LanguageFilter(arrays["passage_mean"], arrays["passage_directions"]),
        QuestionVectors(arrays["unrelated"], arrays["unrelated_as_passage"]),
    )


def load_unrelated_questions() -> list[str]:
    return files("parley.chat.retrieval").joinpath("unrelated_questions.txt").read_text("utf-8").splitlines()


def normalize(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)


def to_vectors(data: bytes, dimensions: int) -> NDArray[np.float16]:
    """Rows of float16, as they are stored and sent."""
    return np.frombuffer(data, np.float16).reshape(-1, dimensions)


def to_bytes(vectors: Floats) -> bytes:
    return vectors.astype(np.float16).tobytes()
