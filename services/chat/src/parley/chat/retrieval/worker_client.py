"""Runs the retrieval worker: a process of its own, started at its first use, and again after it has died."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from parley.chat import metrics
from parley.chat.retrieval.framing import LENGTH
from parley.chat.retrieval.model import ComparedQuestion, EmbeddedPassage, Findings, FoundPassage, Passage
from parley.chat.retrieval.ports import RetrievalFailed, UnknownIndex
from parley.chat.retrieval.timeouts import EMBED_TIMEOUT_SECONDS, LOAD_TIMEOUT_SECONDS, SEARCH_TIMEOUT_SECONDS
from parley.chat.sites.chatbot import EmbeddingChoice
from parley.common.observability.logging import get_logger

log = get_logger(__name__)

_MAX_WAITING = 64


class WorkerSearcher:
    """A PassageSearcher, and a component of the service. One request at a time; more wait, up to a limit."""

    name = "retrieval-worker"

    def __init__(self, command: Sequence[str] = (sys.executable, "-m", "parley.chat.retrieval.worker")) -> None:
        self._command = command
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._process: Process | None = None
        self._has_local_model: bool | None = None

    async def start(self) -> None:
        """The process starts with the first request."""

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def unready_reason(self) -> str | None:
        """Never unready: without the worker the AI does not know answers, and everything else works."""
        return None

    async def has_local_model(self) -> bool:
        if self._has_local_model is None:
            header, _ = await self._request({"op": "describe"}, b"", SEARCH_TIMEOUT_SECONDS)
            self._has_local_model = bool(header["local_model"])
            if not self._has_local_model:
                log.warning("local_embedding_model_missing", effect="passages are found by their words only")
        return self._has_local_model

    async def load(
        self,
        key: str,
        passages: Sequence[EmbeddedPassage],
        choice: EmbeddingChoice,
        dimensions: int = 0,
        unrelated: bytes = b"",
    ) -> None:
        header = {"op": "load", "key": key, "choice": choice, "dimensions": dimensions}
        header["passages"] = [asdict(one.passage) for one in passages]
        vectors = [one.vectors for one in passages if one.vectors is not None]
        data = b"".join((*vectors, unrelated)) if passages and len(vectors) == len(passages) else b""
        await self._request(header, data, LOAD_TIMEOUT_SECONDS)

    async def search(
        self,
        key: str,
        texts: Sequence[str],
        limit: int,
        choice: EmbeddingChoice,
        dimensions: int = 0,
        vectors: bytes = b"",
    ) -> Findings:
        header = {
            "op": "search",
            "key": key,
            "texts": texts,
            "limit": limit,
            "choice": choice,
            "dimensions": dimensions,
        }
        response, _ = await self._request(header, vectors, SEARCH_TIMEOUT_SECONDS)
        if "unknown_index" in response:
            raise UnknownIndex
        passages = [_to_found(row) for row in response["passages"]]
        answers = set(response["answers"])
        return Findings(passages, [found for found in passages if found.passage.id in answers], response["intent"])

    async def embed(self, passages: Sequence[Passage]) -> Sequence[bytes]:
        header = {
            "op": "embed",
            "headings": [passage.heading for passage in passages],
            "wholes": [passage.whole for passage in passages],
        }
        _, data = await self._request(header, b"", EMBED_TIMEOUT_SECONDS)
        return _split(data, len(passages))

    async def embed_questions(self, texts: Sequence[str]) -> Sequence[bytes]:
        header = {"op": "embed_questions", "texts": list(texts)}
        _, data = await self._request(header, b"", EMBED_TIMEOUT_SECONDS)
        return _split(data, len(texts))

    async def group(
        self,
        leaders: Sequence[ComparedQuestion],
        questions: Sequence[ComparedQuestion],
        choice: EmbeddingChoice,
        unrelated: bytes = b"",
    ) -> Sequence[int]:
        compared = [*leaders, *questions]
        header: dict[str, Any] = {"op": "group", "choice": choice, "leaders": len(leaders), "count": len(compared)}
        if choice == "none":
            header["texts"] = [(one.text, one.language) for one in compared]
            vectors = []
        else:
            vectors = [one.vector for one in compared if one.vector is not None]
            header["dimensions"] = len(vectors[0]) // 2 if vectors else 0
        response, _ = await self._request(header, b"".join((*vectors, unrelated)), EMBED_TIMEOUT_SECONDS)
        nearest: list[int] = response["nearest"]
        return nearest

    async def _request(
        self, header: dict[str, Any], data: bytes, timeout_seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        """Raises RetrievalFailed."""
        if self._waiting >= _MAX_WAITING:
            raise RetrievalFailed("too many requests wait for the retrieval worker")
        self._waiting += 1
        try:
            # The text of a large site takes a while.
            encoded = await asyncio.to_thread(lambda: json.dumps(header).encode())
            async with self._turn:
                return await self._exchange(encoded, data, timeout_seconds)
        finally:
            self._waiting -= 1

    async def _exchange(self, header: bytes, data: bytes, timeout_seconds: float) -> tuple[dict[str, Any], bytes]:
        try:
            async with asyncio.timeout(timeout_seconds):
                process = await self._ensure_started()
                assert process.stdin is not None
                for part in (header, data):
                    process.stdin.write(LENGTH.pack(len(part)))
                    process.stdin.write(part)
                await process.stdin.drain()
                response = json.loads(await _read(process))
                return response, await _read(process)
        except (TimeoutError, asyncio.IncompleteReadError, OSError, ValueError) as exc:
            metrics.RETRIEVAL_WORKER_FAILURES.inc()
            log.warning("retrieval_worker_failed", error=type(exc).__name__)
            await self.stop()
            raise RetrievalFailed(f"the retrieval worker failed: {type(exc).__name__}") from exc
        except asyncio.CancelledError:
            # Its response would be read as that of the next request.
            await self.stop()
            raise

    async def _ensure_started(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            )
        return self._process


def _to_found(row: dict[str, Any]) -> FoundPassage:
    fields = row["passage"]
    return FoundPassage(Passage(**{**fields, "heading_path": tuple(fields["heading_path"])}), row["confidence"])


def _split(data: bytes, count: int) -> list[bytes]:
    size = len(data) // max(1, count)
    return [data[start : start + size] for start in range(0, len(data), size)]


async def _read(process: Process) -> bytes:
    assert process.stdout is not None
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    return await process.stdout.readexactly(length)
