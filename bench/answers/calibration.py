"""Writes the constants of retrieval: `python -m bench.answers.calibration`.

The language directions come from parallel sentences, the weights from the calibration half of the questions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.answers.dataset import (
    Question,
    divide,
    load_intents,
    load_parallel_sentences,
    load_passages,
    load_questions,
)
from parley.chat.retrieval import ranking
from parley.chat.retrieval.embedding_space import LanguageFilter, QuestionVectors, load_unrelated_questions
from parley.chat.retrieval.index import PassageVectors, SiteIndex
from parley.chat.retrieval.intents import INTENTS, spell
from parley.chat.retrieval.lexical import Floats
from parley.chat.retrieval.local_model import LocalModel
from parley.chat.retrieval.model import Passage

_FOLDER = Path(ranking.__file__).parent
_LANGUAGE_DIRECTIONS = 12
_SEMANTIC_FEATURES = 7
_REGULARIZATION = 1.0
_INTENT_REGULARIZATION = 1e-4
_INTENT_STEPS = 4000
_INTENT_RATE = 4.0
_NEGATIVES = 12
_SMALL_SITE = 3
"""Passages of a small site."""
_DECLINED_SHARE = 0.9
"""Of the questions that a site cannot answer: by each of the larger sites, and by the small ones."""
_DECLINED_SHARE_BY_WORDS = 0.95
"""Of the same where only words are compared, which are more often wrong."""
_OTHER_SUBJECTS = ("dental", "city")
"""The threshold has to be right for them too: their unanswerable questions are nearer to their passages."""
_MODES = {"both": (True, True), "meaning": (False, True), "words": (True, False)}


class CachingModel(LocalModel):
    """Embeds each text once."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, bool], Floats] = {}

    def embed_raw(self, texts: Sequence[str], *, as_question: bool) -> Floats:
        for text in texts:
            if (text, as_question) not in self._rows:
                self._rows[text, as_question] = super().embed_raw([text], as_question=as_question)[0]
        return np.stack([self._rows[text, as_question] for text in texts])


def build_index(
    model: LocalModel, *, words: bool, meaning: bool, passages: Sequence[Passage] | None = None
) -> SiteIndex:
    """An index of the whole set, or of some of its passages."""
    passages = load_passages() if passages is None else passages
    if not meaning:
        return SiteIndex(passages)
    headings = [passage.heading for passage in passages]
    vectors = PassageVectors(
        model.embed_questions(headings).astype(np.float16),
        model.embed_passages(headings).astype(np.float16),
        model.embed_passages([passage.whole for passage in passages]).astype(np.float16),
    )
    return SiteIndex(passages, vectors, model.reference.unrelated, words=words)


def embed(model: LocalModel, text: str) -> QuestionVectors:
    return QuestionVectors(model.embed_questions([text])[0], model.embed_passages([text])[0])


def write_reference(model: LocalModel) -> None:
    sentences = load_parallel_sentences()
    arrays: dict[str, Floats] = {}
    filters = {}
    for name, as_question in (("question", True), ("passage", False)):
        rows = np.stack([model.embed_raw(row, as_question=as_question) for row in sentences])
        mean = rows.mean((0, 1))
        directions = np.linalg.svd(rows.mean(1) - mean, full_matrices=False)[2][:_LANGUAGE_DIRECTIONS]
        arrays |= {f"{name}_mean": mean, f"{name}_directions": directions}
        filters[name] = LanguageFilter(mean, directions)
    unrelated = load_unrelated_questions()
    arrays["unrelated"] = filters["question"].apply(model.embed_raw(unrelated, as_question=True))
    arrays["unrelated_as_passage"] = filters["passage"].apply(model.embed_raw(unrelated, as_question=False))
    with (_FOLDER / "local_reference.npz").open("wb") as file:
        np.savez_compressed(
            file, allow_pickle=False, **{name: array.astype(np.float16) for name, array in arrays.items()}
        )


def write_calibration(model: LocalModel) -> None:
    ranking_file = _FOLDER / "calibration.json"
    questions = [one for one in divide(load_questions())[0] if one.kind in ("answer", "unknown")]
    result: dict[str, object] = {}
    for kind, (words, meaning) in _MODES.items():
        index = build_index(model, words=words, meaning=meaning)
        small = [
            build_index(model, words=words, meaning=meaning, passages=part) for part in small_sites(load_passages())
        ]
        others = [
            (
                build_index(model, words=words, meaning=meaning, passages=load_passages(subject)),
                [one for one in load_questions(subject) if one.kind == "unknown"],
            )
            for subject in _OTHER_SUBJECTS
        ]
        result[kind] = _fit(index, small, questions, others, model if meaning else None)
    ranking_file.write_text(json.dumps(result, indent=1) + "\n")


def write_intents(model: LocalModel) -> None:
    """Fit the classifiers of intents: each class weighs the same, and all that are no intent are one class."""
    examples = load_intents()
    others = [sentence for row in load_parallel_sentences() for sentence in row] + load_unrelated_questions()
    others += [one.text for one in divide(load_questions())[0] if one.kind in ("answer", "two", "unknown")]
    texts = [one.text for one in examples] + others
    classes = [*INTENTS, "other"]
    labels = np.array([classes.index(one.kind) for one in examples] + [len(INTENTS)] * len(others))
    arrays: dict[str, Floats] = {}
    for kind, rows in (("meaning", model.embed_passages(texts)), ("spelling", np.stack([*map(spell, texts)]))):
        arrays[f"{kind}_weights"], arrays[f"{kind}_bias"] = _fit_classes(rows, labels)
    with (_FOLDER / "intents.npz").open("wb") as file:
        np.savez_compressed(
            file, allow_pickle=False, **{name: array.astype(np.float16) for name, array in arrays.items()}
        )


def _fit_classes(rows: Floats, labels: np.ndarray) -> tuple[Floats, Floats]:
    """Weights and bias of each class by gradient descent, with a penalty on the weights."""
    count = int(labels.max()) + 1
    weights, bias = np.zeros((count, rows.shape[1]), np.float32), np.zeros(count, np.float32)
    shares = ((1 / np.bincount(labels))[labels] / count)[:, None].astype(np.float32)
    wanted = np.eye(count, dtype=np.float32)[labels]
    for _ in range(_INTENT_STEPS):
        scores = np.exp(rows @ weights.T + bias)
        errors = (scores / scores.sum(1, keepdims=True) - wanted) * shares
        weights -= _INTENT_RATE * (errors.T @ rows + _INTENT_REGULARIZATION * weights)
        bias -= _INTENT_RATE * errors.sum(0)
    return weights, bias


def small_sites(passages: Sequence[Passage]) -> list[Sequence[Passage]]:
    """The passages as those of sites with few entries."""
    return [passages[start :: len(passages) // _SMALL_SITE] for start in range(len(passages) // _SMALL_SITE)]


def _fit(
    index: SiteIndex,
    small: Sequence[SiteIndex],
    questions: Sequence[Question],
    others: Sequence[tuple[SiteIndex, Sequence[Question]]],
    model: LocalModel | None,
) -> dict[str, object]:
    """`others` are further sites, with questions that they cannot answer."""
    measured = []
    for number, question in enumerate(questions):
        vectors = embed(model, question.text) if model else None
        own = [one for one in small if any(passage.id in question.passage_ids for passage in one.passages)]
        # The site that answers the question, and one that does not.
        for one in (index, *own, small[number % len(small)]):
            rows, features = one.measure(question.text, vectors)
            right = np.array([one.passages[row].id in question.passage_ids for row in rows])
            # The hardest of the wrong ones; the others would only drown them.
            hardest = np.argsort(-features[:, :2].sum(1))[:_NEGATIVES]
            chosen = np.unique(np.concatenate([hardest, np.flatnonzero(right)]))
            measured.append((features, right, chosen, one is index))
    rows = np.concatenate([features[chosen] for features, _, chosen, _ in measured])
    labels = np.concatenate([right[chosen] for _, right, chosen, _ in measured]).astype(float)
    means, deviations = rows.mean(0), rows.std(0) + 1e-6
    weights = _fit_weights((rows - means) / deviations, labels, _SEMANTIC_FEATURES if model else 0)
    unknown = [
        [features for features, right, _, of_large in measured if of_large is is_large and not right.any()]
        for is_large in (True, False)
    ]
    if model is not None:
        for site, unanswerable in others:
            unknown.append([site.measure(one.text, embed(model, one.text))[1] for one in unanswerable])
    share = _DECLINED_SHARE if model else _DECLINED_SHARE_BY_WORDS
    threshold = max(
        float(np.quantile([_estimate((features - means) / deviations, weights).max() for features in site], share))
        for site in unknown
    )
    return {
        "means": _rounded(means),
        "deviations": _rounded(deviations),
        "weights": _rounded(weights[:-1]),
        "bias": round(float(weights[-1]), 5),
        "threshold": round(threshold, 3),
    }


def _estimate(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-(rows @ weights[:-1] + weights[-1]))))


def _fit_weights(rows: np.ndarray, labels: np.ndarray, first_lexical: int) -> np.ndarray:
    """Weights and bias. Words in common are never a reason against a passage, whatever a small sample says."""
    used = np.ones(rows.shape[1], bool)
    while True:
        weights = _logistic(rows * used, labels)
        negative = (weights[:-1] < 0) & used
        negative[:first_lexical] = False
        if not negative.any():
            return weights
        used &= ~negative


def _logistic(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Weights and bias by Newton's method, with a penalty on the weights."""
    extended = np.column_stack([rows, np.ones(len(rows))])
    penalty = np.eye(extended.shape[1]) * _REGULARIZATION
    penalty[-1, -1] = 1e-6
    weights = np.zeros(extended.shape[1])
    for _ in range(50):
        estimates = 1 / (1 + np.exp(-extended @ weights))
        gradient = extended.T @ (estimates - labels) + penalty @ weights
        curvature = (extended * (estimates * (1 - estimates))[:, None]).T @ extended + penalty
        weights -= np.linalg.solve(curvature, gradient)
    return weights


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 5) for value in values]


if __name__ == "__main__":
    write_reference(CachingModel())
    write_calibration(CachingModel())
    write_intents(CachingModel())
