"""Recognizes what a text asks for, where that is a person, or nothing at all (a greeting, thanks).

Two linear classifiers, in any of the widget's languages: of the local model's vectors, and without the model of how a
text is spelt, which recognizes half as many. Their weights are in `intents.npz`, written by
`python -m bench.answers.calibration` from examples. Both see little of a negation: who decides something by an intent
looks for one in the words.
"""

from __future__ import annotations

import zlib
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np

from parley.chat.retrieval.lexical import Floats
from parley.chat.retrieval.model import Intent
from parley.chat.retrieval.text import normalize_text

INTENTS: Final[tuple[Intent, ...]] = ("greeting", "thanks", "person")
"""The classes of the weights, in their order; the last one is everything else."""
_THRESHOLD = 0.7
"""Probability from which an intent is taken for certain."""
_SPELLING_DIMENSIONS = 8192
_MAX_SPELT_CHARACTERS = 150
"""Of a text that is classified by its spelling: what is longer says more than an intent."""
_PARTS = range(2, 6)
"""Lengths of the parts of a text, in characters."""


def recognize_meaning(vector: Floats) -> Intent | None:
    """The intent of a text, from the local model's vector of it as a passage; None for any other text."""
    return _decide(vector, "meaning")


def recognize_spelling(text: str) -> Intent | None:
    """The same from its letters."""
    return _decide(spell(text), "spelling") if len(text) <= _MAX_SPELT_CHARACTERS else None


def spell(text: str) -> Floats:
    """Which parts and words a text has, hashed, as a vector of length 1."""
    spaced = f" {normalize_text(text)} "
    parts = {spaced[start : start + length] for length in _PARTS for start in range(len(spaced) - length + 1)}
    vector = np.zeros(_SPELLING_DIMENSIONS, np.float32)
    vector[[zlib.crc32(part.encode()) % _SPELLING_DIMENSIONS for part in (*parts, *spaced.split())]] = 1
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1.0), np.float32)


def _decide(vector: Floats, kind: str) -> Intent | None:
    weights, bias = _weights(kind)
    scores = np.exp(vector @ weights.T + bias)
    greeting, thanks, person, _ = scores / scores.sum()
    if person >= _THRESHOLD:
        return "person"
    # Some words greet and say goodbye, so only which of both it is may be uncertain.
    if greeting + thanks >= _THRESHOLD:
        return "greeting" if greeting > thanks else "thanks"
    return None


@cache
def _weights(kind: str) -> tuple[Floats, Floats]:
    with files("parley.chat.retrieval").joinpath("intents.npz").open("rb") as file, np.load(file) as data:
        return data[f"{kind}_weights"].astype(np.float32), data[f"{kind}_bias"].astype(np.float32)
