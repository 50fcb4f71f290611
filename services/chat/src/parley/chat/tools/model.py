"""Tools as they are, calls of them, and what a visitor is asked before a call that changes something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from parley.chat.tools.credentials import Credentials

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

MAX_CALLS_PER_REPLY = 5
MAX_ARGUMENT_CHARACTERS = 4000
"""Of the arguments of a call, as JSON."""
MAX_RESULT_CHARACTERS = 8000
"""Of a result, as the model reads it."""
MAX_RESULT_BYTES = 64 * 1024
"""Of a response; a larger one is an error."""

Outcome = Literal[
    "ok",
    "http_error",
    "timeout",
    "unreachable",
    "address_rejected",
    "redirected",
    "too_large",
    "bad_content_type",
    "failed",
    "invalid_arguments",
    "unknown_tool",
    "tool_changed",
    "limit_reached",
    "asked",
    "interrupted",
]
"""How a call ended. `asked`: the visitor is asked first. `interrupted`: it is not known whether it was carried out.
`tool_changed`: the tool is another one than a manager has allowed."""


@dataclass(frozen=True, slots=True)
class ToolDescription:
    """What the model and the visitor know of a tool, and who may use it."""

    name: str
    """By which the model calls it."""
    title: str
    """What visitors and operators read."""
    description: str
    """What the model reads."""
    parameters: Mapping[str, Any]
    """A JSON schema of an object."""
    writes: bool
    """Whether it changes something: then the visitor is asked before each call."""
    identified_only: bool
    """Whether only visitors of whom the site has proved who they are may use it."""


@dataclass(frozen=True, slots=True)
class ToolOptions(ToolDescription):
    """What a site's manager says about a tool."""

    method: Method
    url: str
    """With placeholders `{name}` in its path and query."""
    timeout_seconds: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of a site."""

    id: int
    tenant_id: int
    site_id: int
    options: ToolOptions
    credentials: Credentials
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class VerifiedVisitor:
    """What the site has proved of the visitor for whom a tool is called."""

    sub: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A call as a model asks for it: nothing of it is checked."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResponse:
    """How a call ended, and what the model reads of it."""

    outcome: Outcome
    content: str
    seconds: float = 0.0
    status: int | None = None


CallOffered = Callable[[Mapping[str, Any], VerifiedVisitor | None, str], Awaitable[ToolResponse]]
"""Calls a tool with arguments that fit its parameters, for a visitor, with an idempotency key. Never raises."""


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as a reply may use it, wherever it comes from."""

    source: Literal["http", "mcp"]
    id: int
    options: ToolDescription
    updated_at: datetime
    """A call that the visitor has agreed to is of this version only."""
    call: CallOffered


@dataclass(frozen=True, slots=True)
class ToolExchange:
    """Calls that a model has asked for in one turn, with their results."""

    text: str
    """What it said with them."""
    calls: Sequence[tuple[ToolRequest, str]]


@dataclass(frozen=True, slots=True)
class PendingCall:
    """A call that waits for the visitor's consent. It is bound to these arguments and this version of the tool."""

    id: str
    tool_id: int
    tool_updated_at: datetime
    name: str
    title: str
    arguments: str
    generation: int
    """The ownership generation under which the visitor was asked."""
    expires_at: datetime
    asked_seq: int = 0
    """The seq of the message that asks: only the message right after it is an answer."""
    confirmed_by: int | None = None
    """The seq of the visitor's message that agrees."""
    started: bool = False
    """Whether a replica has begun to carry it out: no other one does."""
