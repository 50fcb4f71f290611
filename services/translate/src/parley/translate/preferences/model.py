"""The translation settings of a conversation."""

from __future__ import annotations

from dataclasses import dataclass

from parley.translate.conversations.model import Conversation


@dataclass(frozen=True, slots=True)
class Preferences:
    """Whether a conversation is translated, and between which languages.

    `lang` is the visitor's language; `detected` says that it was detected, not set. `version` grows with every change.
    """

    conversation: Conversation
    enabled: bool = False
    lang: str | None = None
    operator_lang: str | None = None
    detected: bool = False
    version: int = 0

    @property
    def reply_target(self) -> str | None:
        """The language into which an operator's reply is translated; None if it is sent as written."""
        return self.lang if self.enabled and self.lang != self.operator_lang else None
