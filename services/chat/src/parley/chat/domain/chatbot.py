"""How a site's assistant presents itself, answers, and hands over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Engine = Literal["builtin", "openai"]
OnTimeout = Literal["ai", "queue"]
Routing = Literal["all", "manual"]


@dataclass(frozen=True, slots=True)
class Colours:
    """Of the widget, as `#rrggbb`."""

    primary: str = "#2563eb"
    background: str = "#ffffff"


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
    """Who hears of a waiting visitor: all operators of the site, or nobody until one looks."""
    offline_message: str = "Nobody is here right now. Leave your e-mail address and we will write to you."
    private_push: bool = False
    """Push notifications say that there is a message, and not what it says."""
