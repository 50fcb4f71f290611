"""Embeddings by sites' endpoints, counted to the sites' token limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from parley.chat.ai.metering import CapReached, Limits, Meter, Spender, TokenBudget
from parley.chat.retrieval.ports import EmbeddingFailed
from parley.chat.sites.site_settings import SiteSettings


class EmbeddingEngine(Protocol):
    async def embed(self, site: SiteSettings, texts: Sequence[str], meter: Meter) -> Sequence[Sequence[float]]:
        """Raises EmbeddingFailed, CapReached."""


@dataclass(frozen=True, slots=True)
class MeteredEmbedder:
    """Implements EndpointEmbedder."""

    engine: EmbeddingEngine
    budget: TokenBudget

    async def embed(
        self, site: SiteSettings, texts: Sequence[str], meter: Meter | None = None
    ) -> Sequence[Sequence[float]]:
        used = meter or Meter(self.budget, Spender(site.id), Limits.from_site(site))
        try:
            return await self.engine.embed(site, texts, used)
        except CapReached as reached:
            raise EmbeddingFailed(f"the cap {reached.cap} is reached") from None
        finally:
            if meter is None:
                await used.settle()
