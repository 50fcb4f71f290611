"""What the domain needs of the outside, as small ports: stores, the other services, the AI, the clock, ids."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from parley.chat.audit.service import Entry
from parley.chat.conversations.model import Change, Conversation, Message, Note, Visitor
from parley.chat.sites.business_hours import ALWAYS_OPEN, Hours, Opening
from parley.chat.sites.chatbot import AiChoice
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.events import Event
from parley.common.events.schemas import MessageTranslation

Transition = Callable[[Conversation], Change | None]


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What conversations need to know of a site."""

    id: int
    tenant_id: int
    name: str
    language: str
    bot_name: str
    welcome: str
    colours: Mapping[str, str]
    engine: str
    model: str | None
    instructions: str
    operator_timeout: timedelta
    on_timeout: str
    offline_message: str
    hours: Hours | None
    ai: AiChoice

    def opening(self, at: datetime) -> Opening:
        """Whether the site's team is there at a moment."""
        return ALWAYS_OPEN if self.hours is None else self.hours.at(at)


@dataclass(frozen=True, slots=True)
class Member:
    """An operator as the team has them."""

    id: int
    tenant_id: int
    name: str
    sites: Mapping[int, frozenset[Permission]]
    active: bool = True


class ConversationStore(Protocol):
    async def find(self, tenant_id: int, conversation_id: int) -> Conversation | None: ...

    async def recall(self, tenant_id: int, conversation_id: int) -> Conversation | None:
        """As it was last seen here; whatever is decided by that is to be looked at again in a transition."""

    def recall_open(self, visitor: Visitor) -> Conversation | None:
        """The same of a visitor's open conversation; None where none is known here."""

    async def find_open(self, visitor: Visitor) -> Conversation | None: ...
    async def find_latest(self, visitor: Visitor) -> Conversation | None: ...

    async def create(self, change: Change) -> bool:
        """False when the visitor has an open conversation already."""

    async def change(self, tenant_id: int, conversation_id: int, transition: Transition) -> Change | None:
        """Apply a transition by compare-and-set; None where there is no such conversation, or no change."""

    async def generation(self, conversation_id: int) -> int | None: ...
    async def extend_claim(self, conversation_id: int, seq: int, until: datetime) -> None: ...
    async def silent(self, before: datetime, limit: int) -> Sequence[Conversation]: ...
    async def unanswered(self, before: datetime, limit: int) -> Sequence[Conversation]: ...
    async def of_visitor(self, visitor: Visitor, limit: int) -> Sequence[Conversation]: ...


class MessageStore(Protocol):
    async def of_conversation(
        self,
        conversation: Conversation,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        limit: int = 50,
    ) -> Sequence[Message]:
        """Messages in the order of seq: the newest `limit` before a seq, or the first `limit` after one."""

    async def by_message_id(self, visitor: Visitor, message_id: str) -> Message | None: ...

    async def said_before(self, conversation: Conversation, message_id: str) -> Message | None:
        """The same for the conversation's visitor, up to its last message; its recent ids were looked through already.

        Of a conversation that is changed again and again it remembers the ids, and asks nobody.
        """

    async def answer_to(self, conversation: Conversation, seq: int) -> Message | None: ...
    async def notes_of(self, conversation: Conversation) -> Sequence[Note]: ...


class VisitorStore(Protocol):
    async def find(self, tenant_id: int, site_id: int, session: str) -> Visitor | None: ...

    async def ensure(self, tenant_id: int, site_id: int, session: str, language: str | None) -> Visitor:
        """The visitor, made if new."""

    async def change(self, visitor: Visitor, fields: Mapping[str, Any]) -> Visitor:
        """Set fields and count the version up."""


class Sites(Protocol):
    async def get(self, tenant_id: int, site_id: int) -> SiteSettings:
        """Raises NotFound."""


class Team(Protocol):
    async def member(self, tenant_id: int, operator_id: int) -> Member | None: ...
    async def on_site(self, tenant_id: int, site_id: int) -> Sequence[Member]: ...


class Whereabouts(Protocol):
    """Who is online, as presence tells."""

    async def operators_online(self, site_id: int) -> frozenset[int]: ...
    async def visitor_online(self, site_id: int, session: str) -> bool: ...


class Audit(Protocol):
    """Makes lines of the audit log; the change that one tells of takes it along."""

    async def entry(
        self,
        caller: OperatorCaller,
        action: str,
        target: str,
        site_id: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Entry: ...


class Translator(Protocol):
    """Translates before something is said, within a deadline of its own."""

    async def __call__(self, conversation: Conversation, text: str) -> MessageTranslation | None:
        """The text in the visitor's language, or marked as not translated; None where it needs no translation."""


class Whisper(Protocol):
    """Sends an ephemeral event to whoever listens now."""

    async def __call__(self, event: Event) -> None: ...


@dataclass(frozen=True, slots=True)
class Passage:
    """A knowledge entry that may hold the answer."""

    question: str
    answer: str
    score: float


class Knowledge(Protocol):
    async def search(self, site_id: int, text: str, limit: int) -> Sequence[Passage]: ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """What an engine is given to answer from."""

    site: SiteSettings
    question: str
    language: str | None
    recent: Sequence[Message]
    """What was said before it, oldest first."""
    passages: Sequence[Passage]
    does_not_know: str
    """What to say, in the visitor's language, when there is no answer."""


@dataclass(slots=True)
class Verdict:
    """What an engine says of its own answer, beside the text."""

    knew: bool = True
    tokens: int = 0
    """What the answer cost, both ways."""


class Spending(Protocol):
    """Tokens spent by each site and day (UTC), over all replicas."""

    async def left(self, site_id: int, cap: int | None) -> bool:
        """Whether the site may still spend today, by the installation's limit and by its own, if it has one."""

    async def spend(self, site_id: int, tokens: int) -> None: ...


class Engine(Protocol):
    """Answers in pieces as it thinks; fills in the verdict before it ends."""

    def answer(self, prompt: Prompt, verdict: Verdict) -> AsyncGenerator[str, None]:
        """Raises EngineFailed, whose words may be logged."""


class EngineFailed(Exception):
    """An engine did not answer, or not to the end. Says what kind of failure it was, and nothing that was sent."""


class Engines(Protocol):
    """The engines that sites may be answered by."""

    def of(self, site: SiteSettings) -> tuple[str, Engine]:
        """The one the site has chosen, by its name; the built-in one where that is not set up."""

    @property
    def builtin(self) -> Engine:
        """The one that costs nothing."""


NextId = Callable[[], Awaitable[int]]
