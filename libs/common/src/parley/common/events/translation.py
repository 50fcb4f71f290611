"""Events about translation settings."""

from __future__ import annotations

from parley.common.events.registry import Audience, EventData


class TranslationUpdated(EventData, type="translation.updated", audience=Audience.OPERATORS):
    """A conversation's translation was turned on or off, or its languages changed."""

    enabled: bool
    lang: str | None = None
    operator_lang: str | None = None
    supported: bool = False
    detected: bool = False
    """Whether the visitor's language was detected from their messages, not set by an operator."""
    version: int = 0
    """Grows with every change."""
