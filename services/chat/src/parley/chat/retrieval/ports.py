"""What retrieval needs: sources of passages, storage of vectors, and the worker that searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from parley.chat.ai.metering import Meter
from parley.chat.retrieval.model import ComparedQuestion, EmbeddedPassage, Findings, Passage
from parley.chat.sites.chatbot import EmbeddingChoice
from parley.chat.sites.site_settings import SiteSettings


class PassageSource(Protocol):
    """Where passages come from. A change of them is followed by `RetrievalService.on_passages_changed`."""

    async def list_passages(self, site: SiteSettings) -> Sequence[Passage]:
        """All passages that the site's source has at present, in an order that does not change."""


class VectorRepository(Protocol):
    """Vectors of passages, by a key that names the text and the model; and a number that rises with each change."""

    async def get_version(self, site_id: int) -> int: ...

    async def increment_version(self, site_id: int) -> None: ...

    async def find(self, site_id: int, keys: Sequence[str]) -> Mapping[str, bytes]: ...

    async def store(self, site_id: int, vectors: Mapping[str, bytes]) -> None: ...

    async def remove_others(self, site_id: int, keys: Sequence[str]) -> None:
        """Delete the site's vectors that have none of the keys."""

    async def remove_site(self, site_id: int) -> None: ...


class EndpointEmbedder(Protocol):
    async def embed(
        self, site: SiteSettings, texts: Sequence[str], meter: Meter | None = None
    ) -> Sequence[Sequence[float]]:
        """A vector for each text, by the site's endpoint. Raises EmbeddingFailed.

        The meter counts what that costs; without one, it counts to the site's limits.
        """


class EmbeddingFailed(Exception):
    """The endpoint gave no vectors. The message contains nothing that was sent."""


class UnknownIndex(Exception):
    """The worker does not have the index: it was restarted, or the index made room for others."""


class RetrievalFailed(Exception):
    """The worker is not there, or did not respond in time."""


class PassageSearcher(Protocol):
    async def has_local_model(self) -> bool:
        """Raises RetrievalFailed, as the other methods do."""

    async def load(
        self,
        key: str,
        passages: Sequence[EmbeddedPassage],
        choice: EmbeddingChoice,
        dimensions: int = 0,
        unrelated: bytes = b"",
    ) -> None:
        """Keep an index of the passages. `unrelated`: vectors of questions that have nothing to do with any site."""

    async def search(
        self,
        key: str,
        texts: Sequence[str],
        limit: int,
        choice: EmbeddingChoice,
        dimensions: int = 0,
        vectors: bytes = b"",
    ) -> Findings:
        """Search for a question, the first of the texts; the others are parts of it. Raises UnknownIndex."""

    async def embed(self, passages: Sequence[Passage]) -> Sequence[bytes]:
        """The vectors of passages by the local model."""

    async def embed_questions(self, texts: Sequence[str]) -> Sequence[bytes]:
        """A vector for each question by the local model, to compare it with other questions."""

    async def group(
        self,
        leaders: Sequence[ComparedQuestion],
        questions: Sequence[ComparedQuestion],
        choice: EmbeddingChoice,
        unrelated: bytes = b"",
    ) -> Sequence[int]:
        """The group of each question, as in QuestionGroups. All have vectors of one model, or `choice` is "none"."""
