"""What the AI's replies need: engines, knowledge, and tasks that outlive a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, Protocol

from parley.chat.ai.engine import AiEngine
from parley.chat.ai.metering import Meter
from parley.chat.conversations.model import Conversation
from parley.chat.retrieval.model import Findings
from parley.chat.sites.chatbot import AiError
from parley.chat.sites.site_settings import SiteSettings
from parley.chat.tools.session import ToolSession


class AiEngines(Protocol):
    def get_for_site(self, site: SiteSettings) -> AiEngine:
        """The engine that the site has chosen; the built-in one if that is not available. Raises AiEngineError."""

    @property
    def builtin(self) -> AiEngine:
        """The engine without costs."""


class AiCallRecorder(Protocol):
    async def record_ai_call(self, site: SiteSettings, error: AiError | None) -> None:
        """Show the site's owner why the last call gave no answer; None if it succeeded."""


class EngineStates(Protocol):
    """The breakers of a site's engines, over all replicas; `site` has the engine in question as its first one."""

    async def record_engine_failure(self, site: SiteSettings, error: AiError) -> None: ...

    async def record_engine_success(self, site: SiteSettings) -> None: ...

    async def claim_trial(self, site: SiteSettings, retry_at: datetime, now: datetime, seconds: float) -> bool:
        """Whether this reply may try an engine whose breaker is open; no other one may for some seconds."""


class KnowledgeSearch(Protocol):
    async def search(self, site: SiteSettings, question: str, limit: int, meter: Meter | None = None) -> Findings:
        """What the site's knowledge says to a question. The meter counts what the search costs."""


class VisitorImages(Protocol):
    async def read_for_model(self, tenant_id: int, site_id: int, session: str, image_url: str) -> bytes | None:
        """A visitor's own image as a small JPEG. None if it is not theirs, or cannot be read any more."""


class ToolSource(Protocol):
    async def open(
        self, conversation: Conversation, seq: int, is_current: Callable[[], Awaitable[bool]]
    ) -> ToolSession:
        """The tools for the reply to message `seq`: those of the site that are on."""


Spawn = Callable[[Coroutine[Any, Any, Any], str], object]
"""Runs a coroutine as a named background task, which ends before the service does."""
