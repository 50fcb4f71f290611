"""Recognizes by meaning what a text asks for: a person, or nothing at all (a greeting, thanks).

A linear classifier of the local model's vectors, in any of its languages. Its weights are in `intents.npz`, written by
`python -m bench.answers.calibration` from examples. The model sees little of a negation: who decides something by an
intent looks for one in the words.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np

from parley.chat.retrieval.lexical import Floats
from parley.chat.retrieval.model import Intent

INTENTS: Final[tuple[Intent, ...]] = ("greeting", "thanks", "person")
"""The classes of the weights, in their order; the last one is everything else."""
_THRESHOLD = 0.7
"""Probability from which an intent is taken for certain."""


def recognize_intent(vector: Floats) -> Intent | None:
    """The intent of a text, from its vector as a passage; None for any other text."""
    weights, bias = _weights()
    scores = np.exp(vector @ weights.T + bias)
    greeting, thanks, person, _ = scores / scores.sum()
    if person >= _THRESHOLD:
        return "person"
    # Some words greet and say goodbye, so only which of both it is may be uncertain.
    if greeting + thanks >= _THRESHOLD:
        return "greeting" if greeting > thanks else "thanks"
    return None


@cache
def _weights() -> tuple[Floats, Floats]:
    with files("parley.chat.retrieval").joinpath("intents.npz").open("rb") as file, np.load(file) as data:
        return data["weights"].astype(np.float32), data["bias"].astype(np.float32)
