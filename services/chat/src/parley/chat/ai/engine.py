"""The base class of AI engines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from typing import ClassVar

from parley.chat.ai.model import Prompt, ReplyMetadata, WritingTask
from parley.chat.sites.site_settings import SiteSettings


class AiEngineError(Exception):
    """An engine did not finish its reply. The message names the kind of failure and contains nothing that was sent.

    `code` and `reason` say the same to programs and, in a sentence, to the site's owner.
    """

    def __init__(self, message: str, reason: str = "The AI engine failed.", code: str = "engine_failed") -> None:
        super().__init__(message)
        self.reason = reason
        self.code = code


class AiEngine(ABC):
    """Generates replies in chunks. Most engines need to implement `answer` only."""

    name: ClassVar[str]
    """The name by which sites choose the engine; stored with the site."""

    can_call_tools: ClassVar[bool] = False
    """Whether it calls the tools of a prompt."""

    can_write: ClassVar[bool] = False
    """Whether it writes texts for operators."""

    @abstractmethod
    def answer(self, prompt: Prompt, metadata: ReplyMetadata) -> AsyncGenerator[str, None]:
        """Yield the reply in chunks, and fill in `metadata` before the end. Raises AiEngineError.

        An engine with costs reserves each request on the prompt's meter before it makes it. Raises CapReached.
        """

    async def write(self, task: WritingTask) -> str:
        """Return a text for an operator. Raises AiEngineError, CapReached."""
        raise AiEngineError("cannot write", "This AI engine cannot write texts for operators.", "cannot_write")

    def is_available_for(self, site: SiteSettings) -> bool:
        """Whether the installation or the site has configured what the engine needs."""
        return True

    def invalidate(self, site_id: int) -> None:  # noqa: B027 - optional
        """Discard what the engine keeps for a site: its settings have changed."""

    def clear(self) -> None:  # noqa: B027 - optional
        """Discard what the engine keeps for all sites: changes may have been missed."""

    async def stop(self) -> None:  # noqa: B027 - optional
        """Close connections."""
