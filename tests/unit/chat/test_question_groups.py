"""Questions in groups, by words and by vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parley.chat.retrieval.embedding_space import normalize
from parley.chat.retrieval.grouping import group_by_meaning, group_by_words
from parley.chat.retrieval.model import Passage


def test_questions_that_share_most_words_are_one_group() -> None:
    texts = [
        ("Do you ship to Austria?", "en"),
        ("How do I cancel an order?", "en"),
        ("shipping to austria", "en"),
        ("Wie storniere ich eine Bestellung?", "de"),
        ("Bestellung stornieren", "de"),
        ("???", None),
        ("!!!", None),
    ]
    assert group_by_words(texts, 0) == [0, 1, 0, 2, 2, 3, 3]
    assert group_by_words(texts[:3], 2) == [0]


def test_similar_vectors_are_one_group_on_the_scale_of_their_model() -> None:
    vectors = normalize(np.array([[1, 0, 0], [0, 1, 0], [0.9, 0.3, 0], [0, 0, 1]], np.float32))
    none = np.zeros((0, 3), np.float32)
    assert group_by_meaning(vectors, 2, none) == [0, 2]
    # For this model, even texts that have nothing to do with each other are near.
    near = normalize(np.array([[1, 0.1, 0], [1, 0, 0.4], [1, 0.3, 0]], np.float32))
    assert group_by_meaning(np.concatenate([near[:2], near[2:]]), 0, near) == [0, 1, 2]


def test_a_passage_is_referred_to_with_its_text() -> None:
    passage = Passage("document:7:3", "Returns", "Within 14 days.")
    assert passage.reference.startswith("document:7:")
    assert passage.reference == replace(passage, id="document:7:4").reference, "its place may change"
    assert passage.reference != replace(passage, text="Within 30 days.").reference
