"""Finds a site's passages for a question. Keeps the worker's index of the site in step with its sources."""

from __future__ import annotations

import asyncio
import hashlib
import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib.resources import files
from typing import NamedTuple

from parley.chat import metrics
from parley.chat.ai.metering import Meter
from parley.chat.ai.ports import Spawn
from parley.chat.retrieval.model import ComparedQuestion, EmbeddedPassage, Findings, Passage, QuestionGroups
from parley.chat.retrieval.ports import (
    EmbeddingFailed,
    EndpointEmbedder,
    PassageSearcher,
    PassageSource,
    RetrievalFailed,
    UnknownIndex,
    VectorRepository,
)
from parley.chat.retrieval.text import split_clauses
from parley.chat.retrieval.timeouts import RELOAD_AFTER_SECONDS
from parley.chat.sites.chatbot import EmbeddingChoice
from parley.chat.sites.site_settings import SiteSettings
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock

log = get_logger(__name__)

MAX_PASSAGES = 50_000
"""Of a site; the others are not searched."""
LOCAL_MODEL = "multilingual-e5-small-q4:1"
"""Names the local model and its constants in the keys of vectors."""
MAX_QUESTION_CHARACTERS = 1000
_VECTOR_FORMAT = "3"
"""Which texts of a passage are embedded: another number has all passages embedded again."""
_EMBEDDED_AT_ONCE = 4
"""Passages that the worker embeds together: a search waits for them at most."""
_EMBEDDED_WITHIN_A_SEARCH = 8
"""Passages without vectors that a search waits for. If there are more, it compares words until they are embedded."""


class IndexState(NamedTuple):
    """What an index was built from."""

    version: int
    """Of the site's passages."""
    choice: EmbeddingChoice
    model: str
    embedded: int
    """How often this process has finished embedding the site's passages."""


@dataclass(frozen=True, slots=True)
class LoadedIndex:
    """What the worker has of a site."""

    state: IndexState
    choice: EmbeddingChoice
    """What its vectors are of; "none" while they are missing."""
    loaded_at: datetime
    empty: bool = False
    dimensions: int = 0

    def is_current(self, state: IndexState, now: datetime) -> bool:
        return self.state == state and now - self.loaded_at < timedelta(seconds=RELOAD_AFTER_SECONDS)


@dataclass(slots=True)
class RetrievalService:
    sources: Sequence[PassageSource]
    vectors: VectorRepository
    searcher: PassageSearcher
    endpoint: EndpointEmbedder
    clock: Clock
    spawn: Spawn
    _indexes: dict[int, LoadedIndex] = field(default_factory=dict)
    _locks: dict[int, asyncio.Lock] = field(default_factory=dict)
    _embedding: set[int] = field(default_factory=set)
    """Sites whose passages are embedded in the background."""
    _embedded: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))

    async def search(self, site: SiteSettings, question: str, limit: int, meter: Meter | None = None) -> Findings:
        """What the site's knowledge says to a question. Nothing if the worker fails: the AI then does not know."""
        text = question[:MAX_QUESTION_CHARACTERS].strip()
        if not text:
            return Findings()
        with metrics.RETRIEVAL_SECONDS.time():
            for attempt in range(2):
                try:
                    return await self._search(site, text, limit, meter)
                except (RetrievalFailed, UnknownIndex) as exc:
                    self._indexes.pop(site.id, None)
                    if attempt:
                        log.warning("retrieval_failed", site_id=site.id, error=repr(exc)[:300])
        return Findings()

    async def prepare(self, site: SiteSettings) -> None:
        """Read the site's passages again and embed them all, so that the next search compares meanings.

        Where they cannot be embedded, it compares words.
        """
        self._indexes.pop(site.id, None)
        try:
            choice = await self._choose(site)
            if choice == "none":
                return
            keys = {_vector_key(site, choice, passage): passage for passage in await self._list_passages(site)}
            found = await self.vectors.find(site.id, list(keys))
            missing = {key: passage for key, passage in keys.items() if key not in found}
            if missing:
                await self._embed(site, choice, missing)
                self._embedded[site.id] += 1
        except (EmbeddingFailed, RetrievalFailed) as exc:
            log.warning("passages_not_embedded", site_id=site.id, error=str(exc)[:300])

    async def group_questions(
        self, site: SiteSettings, leaders: Sequence[ComparedQuestion], questions: Sequence[ComparedQuestion]
    ) -> QuestionGroups:
        """Group questions by meaning; by words where they cannot be embedded. Raises RetrievalFailed."""
        choice, unrelated, compared = await self._choose(site), b"", [*leaders, *questions]
        try:
            compared = await self._embed_questions(site, choice, compared)
            if choice == "endpoint":
                unrelated = await self._embed_unrelated(site)
        except EmbeddingFailed as exc:
            log.warning("questions_not_embedded", site_id=site.id, error=str(exc)[:300])
            choice = "none"
        nearest = await self.searcher.group(compared[: len(leaders)], compared[len(leaders) :], choice, unrelated)
        return QuestionGroups(compared[: len(leaders)], compared[len(leaders) :], nearest)

    async def _embed_questions(
        self, site: SiteSettings, choice: EmbeddingChoice, questions: Sequence[ComparedQuestion]
    ) -> list[ComparedQuestion]:
        """The questions with vectors of the site's model; those that have them already keep theirs."""
        if choice == "none":
            return list(questions)
        model = _model_name(site, choice)
        missing = [position for position, one in enumerate(questions) if one.model != model]
        embedded = list(questions)
        for start in range(0, len(missing), _EMBEDDED_AT_ONCE):
            batch = missing[start : start + _EMBEDDED_AT_ONCE]
            texts = [questions[position].text for position in batch]
            if choice == "local":
                vectors = await self.searcher.embed_questions(texts)
            else:
                vectors = [_pack([row]) for row in await self.endpoint.embed(site, texts)]
            for position, vector in zip(batch, vectors, strict=True):
                embedded[position] = replace(questions[position], vector=vector, model=model)
        return embedded

    async def on_passages_changed(self, site_id: int) -> None:
        """Have every replica read the site's passages again before its next search."""
        await self.vectors.increment_version(site_id)

    async def remove_site(self, site_id: int) -> None:
        self._indexes.pop(site_id, None)
        await self.vectors.remove_site(site_id)

    async def _search(self, site: SiteSettings, text: str, limit: int, meter: Meter | None) -> Findings:
        index = await self._ensure_loaded(site)
        if index.empty:
            return Findings()
        texts, choice, packed = [text, *split_clauses(text)], index.choice, b""
        if choice == "endpoint":
            try:
                packed = _pack(await self.endpoint.embed(site, texts, meter))
            except EmbeddingFailed as exc:
                log.warning("question_not_embedded", site_id=site.id, error=str(exc)[:300])
                choice = "none"
        return await self.searcher.search(_key(site.id, index), texts, limit, choice, index.dimensions, packed)

    async def _ensure_loaded(self, site: SiteSettings) -> LoadedIndex:
        """The index as the site's passages and settings are now."""
        state = await self._get_state(site)
        index = self._indexes.get(site.id)
        if index is not None and index.is_current(state, self.clock()):
            return index
        async with self._locks.setdefault(site.id, asyncio.Lock()):
            index = self._indexes.get(site.id)
            if index is None or not index.is_current(state, self.clock()):
                index = self._indexes[site.id] = await self._load(site, state)
        return index

    async def _get_state(self, site: SiteSettings) -> IndexState:
        version, choice = await self.vectors.get_version(site.id), site.ai.embedding_choice
        return IndexState(version, choice, _model_name(site, choice), self._embedded[site.id])

    async def _load(self, site: SiteSettings, state: IndexState) -> LoadedIndex:
        passages = await self._list_passages(site)
        metrics.RETRIEVAL_PASSAGES.observe(len(passages))
        if not passages:
            return LoadedIndex(state, "none", self.clock(), empty=True)
        choice, unrelated = await self._choose(site), b""
        vectors: Sequence[bytes] | None = None
        try:
            if choice != "none":
                vectors = await self._find_vectors(site, passages, choice)
            if choice == "endpoint" and vectors is not None:
                unrelated = await self._embed_unrelated(site)
        except EmbeddingFailed as exc:
            log.warning("passages_not_embedded", site_id=site.id, error=str(exc)[:300])
            vectors = None
        if vectors is None:
            choice = "none"
        rows = vectors if vectors is not None else [None] * len(passages)
        embedded = [EmbeddedPassage(passage, data) for passage, data in zip(passages, rows, strict=True)]
        dimensions = len(embedded[0].vectors or b"") // 4 if choice == "endpoint" else 0
        index = LoadedIndex(state, choice, self.clock(), dimensions=dimensions)
        await self.searcher.load(_key(site.id, index), embedded, choice, dimensions, unrelated)
        return index

    async def _list_passages(self, site: SiteSettings) -> list[Passage]:
        passages = [passage for source in self.sources for passage in await source.list_passages(site)]
        if len(passages) > MAX_PASSAGES:
            log.warning("too_many_passages", site_id=site.id, passages=len(passages))
        return passages[:MAX_PASSAGES]

    async def _choose(self, site: SiteSettings) -> EmbeddingChoice:
        choice = site.ai.embedding_choice
        return "none" if choice == "local" and not await self.searcher.has_local_model() else choice

    async def _find_vectors(
        self, site: SiteSettings, passages: Sequence[Passage], choice: EmbeddingChoice
    ) -> list[bytes] | None:
        """The vectors of all passages; None if they are still computed, which goes on in the background."""
        keys = [_vector_key(site, choice, passage) for passage in passages]
        found = dict(await self.vectors.find(site.id, keys))
        missing = {key: passage for key, passage in zip(keys, passages, strict=True) if key not in found}
        if missing and choice == "local" and len(missing) <= _EMBEDDED_WITHIN_A_SEARCH:
            found |= await self._embed(site, choice, missing)
            missing = {}
        if not missing:
            return [found[key] for key in keys]
        if site.id not in self._embedding:
            self._embedding.add(site.id)
            self.spawn(self._embed_missing(site, choice, missing, keys), f"embed-passages:{site.id}")
        return None

    async def _embed_missing(
        self, site: SiteSettings, choice: EmbeddingChoice, missing: dict[str, Passage], keys: Sequence[str]
    ) -> None:
        """Embed passages, then have them used. What was embedded before a failure is not embedded again."""
        try:
            await self._embed(site, choice, missing)
            await self.vectors.remove_others(site.id, [*keys, _unrelated_key(site)])
            self._embedded[site.id] += 1
        except (EmbeddingFailed, RetrievalFailed) as exc:
            log.warning("passages_not_embedded", site_id=site.id, error=str(exc)[:300])
        finally:
            self._embedding.discard(site.id)

    async def _embed(
        self, site: SiteSettings, choice: EmbeddingChoice, missing: dict[str, Passage]
    ) -> dict[str, bytes]:
        """Embed and store."""
        result: dict[str, bytes] = {}
        keys = list(missing)
        for start in range(0, len(keys), _EMBEDDED_AT_ONCE):
            batch = keys[start : start + _EMBEDDED_AT_ONCE]
            passages = [missing[key] for key in batch]
            if choice == "local":
                data = await self.searcher.embed(passages)
            else:
                texts = [text for passage in passages for text in (passage.heading, passage.whole)]
                rows = await self.endpoint.embed(site, texts)
                data = [_pack(rows[position : position + 2]) for position in range(0, len(rows), 2)]
            vectors = dict(zip(batch, data, strict=True))
            await self.vectors.store(site.id, vectors)
            result |= vectors
        return result

    async def _embed_unrelated(self, site: SiteSettings) -> bytes:
        """The vectors of questions that no site answers, by the site's endpoint."""
        key = _unrelated_key(site)
        stored = (await self.vectors.find(site.id, [key])).get(key)
        if stored is not None:
            return stored
        questions = files("parley.chat.retrieval").joinpath("unrelated_questions.txt").read_text("utf-8").splitlines()
        data = _pack(await self.endpoint.embed(site, questions))
        await self.vectors.store(site.id, {key: data})
        return data


def _model_name(site: SiteSettings, choice: EmbeddingChoice) -> str:
    if choice == "local":
        return LOCAL_MODEL
    return f"{site.ai.base_url or ''} {site.ai.embedding_model or ''}"


def _key(site_id: int, index: LoadedIndex) -> str:
    return f"{site_id}:{index.state.version}:{index.choice}:{index.loaded_at.timestamp()}"


def _vector_key(site: SiteSettings, choice: EmbeddingChoice, passage: Passage) -> str:
    """Changes with the model and with what it reads."""
    text = "\0".join((_VECTOR_FORMAT, _model_name(site, choice), passage.heading, passage.text))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _unrelated_key(site: SiteSettings) -> str:
    return hashlib.sha256(f"unrelated {_model_name(site, 'endpoint')}".encode()).hexdigest()[:32]


def _pack(rows: Sequence[Sequence[float]]) -> bytes:
    """Vectors as float16, the worker's format."""
    return b"".join(struct.pack(f"<{len(row)}e", *row) for row in rows)
