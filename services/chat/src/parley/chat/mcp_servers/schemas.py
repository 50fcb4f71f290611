"""Request bodies and responses of the endpoints of MCP servers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from parley.chat.common_fields import Name
from parley.chat.mcp_servers.model import (
    MAX_ALLOWED_TOOLS,
    MAX_TOOL_NAME_CHARACTERS,
    ListedTool,
    Listing,
    McpServer,
    McpServerOptions,
    ToolChoice,
    ToolFault,
    ToolState,
)
from parley.chat.tools.model import Outcome
from parley.chat.tools.schemas import AuthorizationBody, TryToolBody
from parley.common.events.schemas import Timestamp
from parley.common.http import RequestBody, SuccessResponse

ToolName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TOOL_NAME_CHARACTERS)]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class McpServerBody(AuthorizationBody):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,19}$")] = Field(
        description="The names of its tools begin with it, for the AI."
    )
    url: Annotated[str, StringConstraints(min_length=1, max_length=1000)] = Field(
        description="Of its endpoint for streamable HTTP."
    )
    enabled: bool = True

    def to_options(self) -> McpServerOptions:
        return McpServerOptions(**self.model_dump(exclude={"authorization"}))


class ToolChoiceSchema(RequestBody):
    name: ToolName
    fingerprint: Fingerprint = Field(description="As what the tool was shown: it is allowed as that only.")
    title: Name = Field(description="What visitors and operators read.")
    writes: bool = Field(True, description="Whether it changes something: then the visitor is asked before each call.")
    identified_only: bool = Field(
        True,
        description="Whether only visitors of whom the site has proved who they are may use it; the server learns"
        " who they are.",
    )


class AllowedToolsBody(RequestBody):
    """The tools that the AI may call, of those that the latest check has found."""

    tools: Annotated[list[ToolChoiceSchema], Field(max_length=MAX_ALLOWED_TOOLS)]

    def to_choices(self) -> list[ToolChoice]:
        """Each tool once: the last of its choices."""
        choices = {tool.name: ToolChoice(**tool.model_dump()) for tool in self.tools}
        return list(choices.values())


class TryMcpToolBody(TryToolBody):
    """A call of a tool that the latest check has found, allowed or not."""

    name: ToolName
    fingerprint: Fingerprint = Field(description="As what the tool was shown: it is called as that only.")


class AllowedToolSchema(BaseModel):
    """A tool as it was allowed. It is off while its `state` is not `ok`."""

    name: str
    title: str
    description: str
    writes: bool
    identified_only: bool
    state: ToolState
    allowed_at: Timestamp


class McpServerSchema(BaseModel):
    """An MCP server without its secrets."""

    id: int
    name: str
    url: str
    enabled: bool
    has_authorization: bool
    tools: list[AllowedToolSchema]
    failure: Outcome | None = Field(description="How the latest call or check failed; null after one that worked.")
    created_at: Timestamp
    updated_at: Timestamp


class ListedToolSchema(BaseModel):
    """A tool as its server describes it. `read_only_hint` is what the server claims."""

    name: str
    title: str
    description: str
    parameters: dict[str, Any]
    fingerprint: str
    read_only_hint: bool
    fault: ToolFault | None = Field(description="Why it cannot be allowed.")


class McpServerListResponse(SuccessResponse):
    servers: list[McpServerSchema]


class McpServerResponse(SuccessResponse):
    """`secret` signs the requests. It is given once: for a new server, and when it has changed."""

    server: McpServerSchema
    secret: str | None = None


class McpCheckResponse(SuccessResponse):
    """What a server offers. `outcome` says why it is nothing."""

    server: McpServerSchema
    outcome: Outcome
    tools: list[ListedToolSchema]


def serialize_server(server: McpServer) -> McpServerSchema:
    return McpServerSchema(
        id=server.id,
        name=server.options.name,
        url=server.options.url,
        enabled=server.options.enabled,
        has_authorization=server.credentials.encrypted_authorization is not None,
        tools=[
            AllowedToolSchema(
                name=tool.name,
                title=tool.title,
                description=tool.description,
                writes=tool.writes,
                identified_only=tool.identified_only,
                state=tool.state,
                allowed_at=tool.allowed_at,
            )
            for tool in server.tools
        ],
        failure=server.failure,
        created_at=server.created_at,
        updated_at=server.updated_at,
    )


def serialize_check(server: McpServer, listing: Listing) -> McpCheckResponse:
    return McpCheckResponse(
        server=serialize_server(server),
        outcome=listing.outcome,
        tools=[_serialize_listed(tool) for tool in listing.tools],
    )


def _serialize_listed(tool: ListedTool) -> ListedToolSchema:
    return ListedToolSchema(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        parameters=dict(tool.parameters),
        fingerprint=tool.fingerprint,
        read_only_hint=tool.read_only_hint,
        fault=tool.fault,
    )
