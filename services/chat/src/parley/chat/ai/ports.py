"""What the AI's replies need: engines, knowledge, a token budget, and tasks that outlive a request."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from parley.chat.ai.engine import AiEngine
from parley.chat.ai.model import Passage
from parley.chat.sites.site_settings import SiteSettings


class AiEngines(Protocol):
    def get_for_site(self, site: SiteSettings) -> AiEngine:
        """The engine that the site has chosen; the built-in one if that is not available. Raises AiEngineError."""

    @property
    def builtin(self) -> AiEngine:
        """The engine without costs."""


class TokenBudget(Protocol):
    """Tokens used per site and day (UTC), over all replicas."""

    async def has_budget(self, site_id: int, daily_limit: int | None) -> bool:
        """Whether the site is below both its own daily limit, if it has one, and the installation's."""

    async def charge(self, site_id: int, tokens: int) -> None: ...


class KnowledgeSearch(Protocol):
    async def search(self, site_id: int, text: str, limit: int) -> Sequence[Passage]:
        """The site's knowledge entries that match a text, best first."""


Spawn = Callable[[Coroutine[Any, Any, Any], str], object]
"""Runs a coroutine as a named background task, which ends before the service does."""
