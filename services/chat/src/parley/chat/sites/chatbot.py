"""How a site's assistant presents itself, answers, and hands over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from parley.chat.sites.business_hours import Hours

Engine = Literal["builtin", "openai"]
OnTimeout = Literal["ai", "queue"]
Routing = Literal["all", "manual"]

OFFLINE_MESSAGE = "Nobody is here right now. Leave your e-mail address and we will write to you."
"""What a site says that has not found words of its own: visitors are told it in their language."""


@dataclass(frozen=True, slots=True)
class Colours:
    """Of the widget, as `#rrggbb`."""

    primary: str = "#2563eb"
    background: str = "#ffffff"


@dataclass(frozen=True, slots=True)
class AiChoice:
    """What a site asks of the engine `openai` beside the installation's settings. None: as those have it."""

    base_url: str | None = None
    """An endpoint of the site's own: it never gets the installation's key."""
    sealed_key: str | None = field(default=None, repr=False)
    """The site's own key, encrypted with the installation's secret."""
    temperature: float | None = None
    seconds: float | None = None
    """For an answer to begin, and between two pieces of it."""
    answer_tokens: int | None = None
    daily_tokens: int | None = None
    """Tokens a day (UTC), where that is less than the installation allows."""

    @property
    def own_endpoint(self) -> bool:
        """Whether the site is answered through a client of its own."""
        return self.base_url is not None or self.sealed_key is not None


@dataclass(frozen=True, slots=True)
class TranslationChoice:
    """What a site asks of translation beside the deployment's settings."""

    engines: tuple[str, ...] = ()
    """Which, first to last; empty for the deployment's."""
    glossary: tuple[str, ...] = ()
    """Words that are never translated."""
    daily_characters: int | None = None
    """By paid engines a day (UTC), where that is less than the deployment allows."""


@dataclass(frozen=True, slots=True)
class Chatbot:
    """A site's settings of the assistant. Lengths and ranges are the handlers' to check."""

    name: str = "Assistant"
    welcome: str = "Hi! How can I help you?"
    colours: Colours = field(default_factory=Colours)
    engine: Engine = "builtin"
    model: str | None = None
    instructions: str = ""
    operator_timeout: int = 300
    """Seconds for which an operator who holds a conversation may be silent."""
    on_timeout: OnTimeout = "queue"
    """Who has the conversation after that: the AI again, or the queue for other operators."""
    routing: Routing = "all"
    """Who is called for a waiting visitor, by phone and by the panel: all operators of the site, or nobody."""
    offline_message: str = OFFLINE_MESSAGE
    private_push: bool = False
    """Push notifications say that there is a message, and not what it says."""
    hours: Hours | None = None
    """When the team is there; None for always."""
    translation: TranslationChoice = field(default_factory=TranslationChoice)
    ai: AiChoice = field(default_factory=AiChoice)
