"""What the AI works on: prompts, the metadata an engine returns with its text, and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from parley.chat.ai.metering import Cap, Meter
from parley.chat.ai.usage import EngineUsage
from parley.chat.conversations.model import Conversation
from parley.chat.messages.model import Message
from parley.chat.retrieval.model import Findings, Passage
from parley.chat.sites.engine_check import PRIMARY_ENGINE
from parley.chat.sites.site_settings import SiteSettings
from parley.chat.tools.model import PendingCall
from parley.chat.tools.session import ToolSession
from parley.common.events.schemas import MessageSource, QuickReply, ToolCallSchema

ResultKind = Literal["knew", "did_not_know", "failed", "capped", "asked", "fenced"]
"""How a reply ended: answered, without an answer, by an engine error, by a cap (`capped`), by the
visitor's request for a person, or discarded because the ownership generation has changed (`fenced`)."""


EmptyReason = Literal[
    "no_answer", "thoughts", "length", "refusal", "content_filter", "tool_call", "blank", "instructions"
]
"""Why a reply is no answer: the engine says that it has none, or ended without saying anything."""

EMPTY_REPLIES: Mapping[str, str] = {
    "thoughts": "The model thought and gave no answer.",
    "length": "The model reached the maximum length of a reply before it said anything. Allow longer replies.",
    "refusal": "The model refused to answer.",
    "content_filter": "The endpoint's content filter removed the answer.",
    "tool_call": "The model called a tool that it was not given, instead of answering.",
    "blank": "The model answered with an empty text.",
    "instructions": "The model began to repeat its instructions; the reply was stopped there.",
}
"""What the panel shows to managers about replies that are no answer. That a model does not know one is no failure."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What an engine answers from."""

    site: SiteSettings
    question: str
    language: str | None
    recent: Sequence[Message]
    """The messages before the question, oldest first."""
    findings: Findings
    """What the site's knowledge says to the question."""
    fallback_text: str
    """The text for a question without an answer, in the visitor's language."""
    tools: ToolSession | None = None
    """What the model may call."""
    retry: bool = True
    """Whether the engine tries again by itself when its endpoint fails."""
    meter: Meter = field(default_factory=Meter)
    images: tuple[bytes, ...] = ()
    """JPEGs that the visitor has sent, oldest first, for a model that sees them."""


@dataclass(frozen=True, slots=True)
class WritingTask:
    """A text to write for an operator."""

    site: SiteSettings
    instructions: str
    material: str
    """What the text is about; the only turn of the request."""
    retry: bool = True
    """Whether the engine tries again by itself when its endpoint fails."""
    meter: Meter = field(default_factory=Meter)


@dataclass(slots=True)
class ReplyMetadata:
    """What an engine reports about its reply, in addition to the text."""

    knew_answer: bool = True
    empty_reason: EmptyReason | None = None
    """Set if the reply is no answer."""
    sources: Sequence[Passage] = ()
    """The passages that the reply is based on."""
    quick_replies: tuple[QuickReply, ...] = ()
    """The choices that the reply offers."""
    engine_id: str = PRIMARY_ENGINE
    """Of the site's engine that has answered, or was the last one to fail."""
    cap: Cap | None = None
    """What was used up, if the built-in engine has answered for that reason."""


ImageUse = Literal["seen", "off", "no_vision", "unreadable", "no_model"]
"""What became of a visitor's image for a reply. Not sent: `off`, as the site does not want it; `no_vision`, as the
check has not found that the model sees images; `unreadable`; `no_model`, as no model has replied."""


@dataclass(frozen=True, slots=True)
class AiResult:
    """The generated text, and how the reply ended."""

    content: str
    kind: ResultKind
    usage: tuple[EngineUsage, ...] = ()
    sources: tuple[MessageSource, ...] = ()
    tool_calls: tuple[ToolCallSchema, ...] = ()
    asked: PendingCall | None = None
    """The call that the visitor is asked about."""
    quick_replies: tuple[QuickReply, ...] = ()
    cap: Cap | None = None
    """What was used up, if a cap has ended the reply, or the built-in engine has answered for that reason."""
    cited: tuple[str, ...] = ()
    """References of the passages that it is based on."""
    unanswered: str = ""
    """The question, if the site's knowledge has no answer to it."""
    image: ImageUse | None = None
    """None if the visitor has sent none since the reply before."""


@dataclass(frozen=True, slots=True)
class ReplyOutcome:
    """The end of a reply's stream: the conversation as it is now, and the AI's message if one was stored."""

    conversation: Conversation
    message: Message | None
