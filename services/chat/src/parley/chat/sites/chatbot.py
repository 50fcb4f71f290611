"""The settings of a site's assistant: appearance, replies, handoff to operators."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args

from parley.chat.sites.business_hours import BusinessHours
from parley.chat.sites.silence_policy import SilencePolicy
from parley.common.events.schemas import FileKind

EmbeddingChoice = Literal["local", "endpoint", "none"]
"""What compares meanings for a site: the local model, the site's AI endpoint, or nothing: words only."""
OnTimeout = Literal["ai", "queue"]
Routing = Literal["all", "manual"]
WhenCapReached = Literal["handoff", "builtin"]
"""What happens to a visitor when the AI may not reply any more today: a person is asked for, or the built-in engine
replies."""

DEFAULT_WELCOME = "Hi! How can I help you?"
"""Marks a site without a welcome of its own: visitors then get a greeting in their language."""
DEFAULT_OFFLINE_MESSAGE = "Nobody is here right now. Leave your e-mail address and we will write to you."
"""Marks a site without a text of its own: visitors then get the notice in their language."""


@dataclass(frozen=True, slots=True)
class Colours:
    """Colours of the widget, as `#rrggbb`."""

    primary: str = "#2563eb"
    background: str = "#ffffff"


@dataclass(frozen=True, slots=True)
class AiSettings:
    """A site's settings of the engine `openai`. None means the installation's setting."""

    base_url: str | None = None
    """The site's own endpoint. The installation's API key is never sent to it."""
    encrypted_key: str | None = field(default=None, repr=False)
    """The site's own API key, encrypted with the installation's secret."""
    temperature: float | None = None
    seconds: float | None = None
    """Timeout until the reply begins, and between two parts of it."""
    answer_tokens: int | None = None
    """Maximum length of a reply."""
    daily_tokens: int | None = None
    """Maximum tokens per day (UTC), where that is less than the installation's limit."""
    embeddings: EmbeddingChoice | None = None
    """What compares the meaning of questions and passages; None for the local model."""
    embedding_model: str | None = None
    """The endpoint's name of a model for embeddings."""
    images: bool | None = None
    """Whether visitors' images are sent to models that see them."""

    @property
    def embedding_choice(self) -> EmbeddingChoice:
        return self.embeddings or "local"

    @property
    def has_own_endpoint(self) -> bool:
        """Whether the site needs a client of its own."""
        return self.base_url is not None or self.encrypted_key is not None


@dataclass(frozen=True, slots=True)
class AiCaps:
    """The most replies of engines with costs per day (UTC); None for no cap.

    The defaults are more than people ask for, and stop who writes without end.
    """

    site: int | None = None
    address: int | None = 500
    """Of one client IP; an IPv6 /64 network counts as one."""
    session: int | None = 100
    conversation: int | None = 60
    when_reached: WhenCapReached = "handoff"
    """Also when the site's tokens of the day are used up."""


@dataclass(frozen=True, slots=True)
class AiPrices:
    """Of a million tokens each; None: not known."""

    currency: str = ""
    """ISO 4217; empty: costs are not shown."""
    input: float | None = None
    output: float | None = None
    embedding: float | None = None


@dataclass(frozen=True, slots=True)
class FallbackEngine:
    """An engine that answers when those before it fail. How it replies is said by the site's AiSettings."""

    id: str
    """Given by the server; unique in the site."""
    engine: str
    model: str | None = None
    base_url: str | None = None
    encrypted_key: str | None = field(default=None, repr=False)
    input_price: float | None = None
    """Of a million tokens of prompts, as the site's AiPrices."""
    output_price: float | None = None


@dataclass(frozen=True, slots=True)
class AiError:
    """Why the last call of a site's AI gave no answer, for its owner: contains nothing that an endpoint wrote."""

    message: str
    code: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TranslationSettings:
    """A site's settings of translation."""

    engines: tuple[str, ...] = ()
    """Engines in order of preference; empty for the installation's."""
    glossary: tuple[str, ...] = ()
    """Words that are never translated."""
    daily_characters: int | None = None
    """Maximum characters per day (UTC) for paid engines, where that is less than the installation's limit."""


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """What may be sent on a site besides text and images, within the limits of the installation."""

    enabled_for_visitors: bool = True
    kinds: tuple[FileKind, ...] = get_args(FileKind)
    max_bytes: int | None = None
    """Of one file; None for the installation's limit."""
    expire_days: int | None = None
    """Days after which the content of a sent file is deleted; None for never. Applies to what is sent from then on."""


@dataclass(frozen=True, slots=True)
class ChatbotSettings:
    """Settings of a site's assistant, stored under these field names. The request schemas check lengths and ranges."""

    name: str = "Assistant"
    welcome: str = DEFAULT_WELCOME
    colours: Colours = field(default_factory=Colours)
    engine: str = "builtin"
    """The name of an AI engine, see `ai/engines/registry.py`."""
    model: str | None = None
    instructions: str = ""
    operator_timeout: int = 300
    """Seconds without a reply after which an operator loses the conversation."""
    on_timeout: OnTimeout = "queue"
    """Who gets the conversation then: the AI, or the queue for other operators."""
    routing: Routing = "all"
    """Who is notified of a waiting visitor: all operators of the site, or nobody."""
    auto_close_minutes: int = 0
    """Minutes of a visitor's silence after which a conversation is closed; 0 for never."""
    auto_close_notice_minutes: int = 0
    """Minutes before that at which the visitor gets a notice; 0 for none. Less than `auto_close_minutes`."""
    offline_message: str = DEFAULT_OFFLINE_MESSAGE
    private_push: bool = False
    """Whether push notifications leave out the text and the sender of a message."""
    hours: BusinessHours | None = None
    """Business hours of the team; None for always open."""
    translation: TranslationSettings = field(default_factory=TranslationSettings)
    ai: AiSettings = field(default_factory=AiSettings)
    fallbacks: tuple[FallbackEngine, ...] = ()
    """The engines after the first one, in their order."""
    caps: AiCaps = field(default_factory=AiCaps)
    prices: AiPrices = field(default_factory=AiPrices)
    """Those of the first engine, and of embeddings."""
    files: FilesSettings = field(default_factory=FilesSettings)
    require_answer_tests: bool = False
    """Whether changes of what the AI answers are refused until the answer tests have passed with them."""

    @property
    def ai_selection(self) -> tuple[str, str | None, AiSettings]:
        """What decides which endpoint and model are called, and how."""
        return self.engine, self.model, self.ai

    @property
    def silence_policy(self) -> SilencePolicy | None:
        if not self.auto_close_minutes:
            return None
        notice = min(self.auto_close_notice_minutes, self.auto_close_minutes - 1)
        return SilencePolicy(timedelta(minutes=self.auto_close_minutes), timedelta(minutes=notice))
