"""The process that searches and embeds: `python -m parley.chat.retrieval.worker`.

It reads requests from standard input and writes responses to standard output, each a header in JSON and bytes, both
with their length. It keeps the indexes of sites in memory, the least recently used ones up to a limit, and gets no
secrets in its environment.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections import OrderedDict
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from parley.chat.retrieval.embedding_space import QuestionVectors, normalize, to_bytes, to_vectors
from parley.chat.retrieval.framing import LENGTH
from parley.chat.retrieval.grouping import group_by_meaning, group_by_words
from parley.chat.retrieval.index import PassageVectors, SiteIndex
from parley.chat.retrieval.intents import recognize_meaning, recognize_spelling
from parley.chat.retrieval.lexical import Floats
from parley.chat.retrieval.local_model import DIMENSIONS, LocalModel, is_local_model_installed
from parley.chat.retrieval.model import FoundPassage, Passage

MAX_PASSAGES_IN_MEMORY = 100_000
LOCAL_VECTORS = 3
"""Of a passage by the local model: the heading as a question and as a passage, the whole as a passage."""
ENDPOINT_VECTORS = 2
"""Of a passage by an endpoint: the heading and the whole."""

Header = dict[str, Any]


class Worker:
    def __init__(self) -> None:
        self._model = LocalModel()
        self._indexes: OrderedDict[str, SiteIndex] = OrderedDict()

    def respond(self, header: Header, data: bytes) -> tuple[Header, bytes]:
        """Raises KeyError for an unknown operation."""
        operations = {
            "load": self._load,
            "search": self._search,
            "embed": self._embed,
            "embed_questions": self._embed_questions,
            "group": self._group,
            "describe": self._describe,
        }
        return operations[header["op"]](header, data)

    def _describe(self, header: Header, data: bytes) -> tuple[Header, bytes]:
        return {"local_model": is_local_model_installed()}, b""

    def _load(self, header: Header, data: bytes) -> tuple[Header, bytes]:
        """Keep an index under a key, in place of the site's older one."""
        passages = [Passage(**{**row, "heading_path": tuple(row["heading_path"])}) for row in header["passages"]]
        prefix = header["key"].split(":")[0] + ":"
        for key in [key for key in self._indexes if key.startswith(prefix)]:
            del self._indexes[key]
        if not data:
            self._indexes[header["key"]] = SiteIndex(passages)
        elif header["choice"] == "local":
            rows = to_vectors(data, DIMENSIONS).reshape(len(passages), LOCAL_VECTORS, DIMENSIONS)
            vectors = PassageVectors(*(np.ascontiguousarray(rows[:, kind]) for kind in range(LOCAL_VECTORS)))
            self._indexes[header["key"]] = SiteIndex(passages, vectors, self._model.reference.unrelated)
        else:
            floats = normalize(_to_floats(data, header["dimensions"]))
            split = len(passages) * ENDPOINT_VECTORS
            headings, wholes = (floats[start:split:ENDPOINT_VECTORS].astype(np.float16) for start in (0, 1))
            unrelated = QuestionVectors(floats[split:], floats[split:])
            vectors = PassageVectors(headings, headings, wholes)
            self._indexes[header["key"]] = SiteIndex(passages, vectors, unrelated, standardize=True)
        while sum(len(index.passages) for index in self._indexes.values()) > MAX_PASSAGES_IN_MEMORY:
            if len(self._indexes) == 1:
                break
            self._indexes.popitem(last=False)
        return {}, b""

    def _search(self, header: Header, data: bytes) -> tuple[Header, bytes]:
        index = self._indexes.get(header["key"])
        if index is None:
            return {"unknown_index": True}, b""
        self._indexes.move_to_end(header["key"])
        texts: list[str] = header["texts"]
        vectors: list[QuestionVectors | None] = [None] * len(texts)
        intent = recognize_spelling(texts[0])
        if header["choice"] == "local":
            questions, passages = self._model.embed_questions(texts), self._model.embed_passages(texts)
            vectors = [QuestionVectors(*pair) for pair in zip(questions, passages, strict=True)]
            intent = recognize_meaning(passages[0])
        elif data:
            vectors = [QuestionVectors(row, row) for row in normalize(_to_floats(data, header["dimensions"]))]
        clauses = dict(zip(texts[1:], vectors[1:], strict=True))
        findings = index.search(texts[0], vectors[0], clauses, header["limit"])
        return {
            "passages": [_serialize(found) for found in findings.passages],
            "answers": [found.passage.id for found in findings.answers],
            "intent": intent,
        }, b""

    def _embed(self, header: Header, data: bytes) -> tuple[Header, bytes]:
        """Embed passages by the local model: `headings` and `wholes`."""
        headings, wholes = header["headings"], header["wholes"]
        kinds = (
            self._model.embed_questions(headings),
            self._model.embed_passages(headings),
            self._model.embed_passages(wholes),
        )
        return {}, to_bytes(np.stack(kinds, axis=1))

    def _embed_questions(self, header: Header, data: bytes) -> tuple[Header, bytes]:
        # Embedded as passages, similar questions are nearer to each other than embedded as questions.
        return {}, to_bytes(self._model.embed_passages(header["texts"]))

    def _group(self, header: Header, data: bytes) -> tuple[Header, bytes]:
        if header["choice"] == "none":
            return {"nearest": group_by_words(header["texts"], header["leaders"])}, b""
        floats = normalize(_to_floats(data, header["dimensions"]))
        vectors, unrelated = floats[: header["count"]], floats[header["count"] :]
        return {"nearest": group_by_meaning(vectors, header["leaders"], unrelated)}, b""


def _serialize(found: FoundPassage) -> Header:
    return {"passage": asdict(found.passage), "confidence": found.confidence}


def _to_floats(data: bytes, dimensions: int) -> Floats:
    return to_vectors(data, dimensions).astype(np.float32)


def main() -> None:
    # If the whole machine runs out of memory, this process is one of the first to go.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900")
    worker = Worker()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while (header := _read(source)) is not None:
        data = _read(source) or b""
        response, result = worker.respond(json.loads(header), data)
        for part in (json.dumps(response).encode(), result):
            target.write(LENGTH.pack(len(part)))
            target.write(part)
        target.flush()


def _read(source: BinaryIO) -> bytes | None:
    """Return the next part of a request; None at the end of the input."""
    length = source.read(LENGTH.size)
    return source.read(LENGTH.unpack(length)[0]) if len(length) == LENGTH.size else None


if __name__ == "__main__":
    main()
