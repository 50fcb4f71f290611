"""MCP servers of a site, the tools that they list, and those that a manager has allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from parley.chat.tools.credentials import Credentials
from parley.chat.tools.model import Outcome

MAX_LISTED_TOOLS = 100
MAX_LIST_PAGES = 10
MAX_ALLOWED_TOOLS = 20
"""Per server: each is described in every prompt."""
MAX_TOOL_NAME_CHARACTERS = 128
"""As the protocol recommends."""
MAX_DESCRIPTION_CHARACTERS = 4000

ToolState = Literal["ok", "changed", "missing"]
"""Whether the server still has the tool that was allowed. Only one that is `ok` is offered to the model."""

ToolFault = Literal["name", "no_description", "long_description", "schema"]
"""Why a tool cannot be allowed. `schema`: it is too large, or refers to what it does not have."""


@dataclass(frozen=True, slots=True)
class McpServerOptions:
    """What a site's manager says about a server."""

    name: str
    """The names of its tools begin with it."""
    url: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as a server lists it. Nothing of it is trusted, and nothing of it reaches a model before it is allowed."""

    name: str
    title: str
    description: str
    parameters: Mapping[str, Any]
    """A JSON schema that a tool may have: what the server's own says, as far as Parley checks it."""
    fingerprint: str
    """Of its name, its description and the server's own schema."""
    read_only_hint: bool
    """The server claims that it changes nothing."""
    fault: ToolFault | None
    """Why it cannot be allowed."""


@dataclass(frozen=True, slots=True)
class AllowedTool:
    """A tool as a manager has allowed it: the model reads this description, whatever the server says later."""

    id: int
    """Another one for each change of what follows: consent to a call holds for one version."""
    name: str
    title: str
    """What visitors and operators read."""
    description: str
    parameters: Mapping[str, Any]
    fingerprint: str
    writes: bool
    identified_only: bool
    allowed_at: datetime
    state: ToolState = "ok"


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """What a manager allows of a listed tool."""

    name: str
    fingerprint: str
    title: str
    writes: bool
    identified_only: bool


@dataclass(frozen=True, slots=True)
class McpServer:
    """An MCP server of a site."""

    id: int
    tenant_id: int
    site_id: int
    options: McpServerOptions
    credentials: Credentials
    created_at: datetime
    updated_at: datetime
    tools: Sequence[AllowedTool] = ()
    failure: Outcome | None = None
    """How the latest call or check failed; None after one that worked."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server has answered to a check."""

    outcome: Outcome
    tools: Sequence[ListedTool] = ()


class SessionFailed(Exception):
    """A session with a server came to nothing. The reason may be the server's own words."""

    def __init__(
        self, outcome: Outcome, reason: str, status: int | None = None, *, is_session_lost: bool = False
    ) -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome
        self.reason = reason
        self.status = status
        self.is_session_lost = is_session_lost
        """The server no longer knew the session, so it has done nothing."""
