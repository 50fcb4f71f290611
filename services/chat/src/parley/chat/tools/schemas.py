"""Request bodies and responses of the endpoints of tools."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, field_validator

from parley.chat.common_fields import Name
from parley.chat.timeouts import MAX_TOOL_TIMEOUT_SECONDS
from parley.chat.tools.model import Method, Outcome, Tool, ToolOptions, ToolResponse
from parley.common.events.schemas import Timestamp
from parley.common.http import RequestBody, SuccessResponse
from parley.common.texts import VERBATIM

_RESERVED = "no_answer"
"""The function that Parley itself gives to a model."""

Parameters = Annotated[dict[str, Any], Field(max_length=100)]


class AuthorizationBody(RequestBody):
    """`authorization` is the header of that name, which is never shown again; left out, it stays as it is."""

    authorization: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[\x20-\x7e]*$"), VERBATIM] | None = None

    def to_credential_fields(self) -> dict[str, Any]:
        return self.model_dump(include={"authorization"}, exclude_unset=True)


class ToolBody(AuthorizationBody):
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")] = Field(
        description="By which the AI calls it."
    )
    title: Name = Field(description="What visitors and operators read.")
    description: Annotated[str, StringConstraints(max_length=1000, pattern=r"\S")] = Field(
        description="What it does and when to use it, for the AI."
    )
    parameters: Parameters = Field(
        default_factory=lambda: {"type": "object", "properties": {}},
        description="A JSON schema of an object, without patterns and references.",
    )
    method: Method = "GET"
    url: Annotated[str, StringConstraints(min_length=1, max_length=1000)] = Field(
        description="With placeholders in its path and query, such as {order_id}. Other parameters are sent in the"
        " query (GET, DELETE) or as a JSON body."
    )
    writes: bool = Field(True, description="Whether it changes something: then the visitor is asked before each call.")
    identified_only: bool = Field(
        True, description="Whether only visitors of whom the site has proved who they are may use it."
    )
    timeout_seconds: Annotated[int, Field(ge=1, le=MAX_TOOL_TIMEOUT_SECONDS)] = 10
    enabled: bool = True

    @field_validator("name")
    @classmethod
    def _refuse_reserved(cls, value: str) -> str:
        if _RESERVED in value:
            raise ValueError("is reserved")
        return value

    def to_options(self) -> ToolOptions:
        return ToolOptions(**self.model_dump(exclude={"authorization"}))


class TryToolBody(RequestBody):
    arguments: Parameters = Field(default_factory=dict)


class ToolSchema(BaseModel):
    """A tool without its secrets."""

    id: int
    name: str
    title: str
    description: str
    parameters: dict[str, Any]
    method: Method
    url: str
    writes: bool
    identified_only: bool
    timeout_seconds: int
    enabled: bool
    has_authorization: bool
    created_at: Timestamp
    updated_at: Timestamp


class ToolListResponse(SuccessResponse):
    tools: list[ToolSchema]


class ToolResponseSchema(SuccessResponse):
    """`secret` signs the requests. It is given once: for a new tool, and when it has changed."""

    tool: ToolSchema
    secret: str | None = None


class ToolResultResponse(SuccessResponse):
    """What the system has answered, as the AI would read it."""

    outcome: Outcome
    status: int | None = Field(description="Of the HTTP response; null if there was none.")
    content: str
    seconds: float


def serialize_tool(tool: Tool) -> ToolSchema:
    options = tool.options
    return ToolSchema(
        id=tool.id,
        name=options.name,
        title=options.title,
        description=options.description,
        parameters=dict(options.parameters),
        method=options.method,
        url=options.url,
        writes=options.writes,
        identified_only=options.identified_only,
        timeout_seconds=options.timeout_seconds,
        enabled=options.enabled,
        has_authorization=tool.credentials.encrypted_authorization is not None,
        created_at=tool.created_at,
        updated_at=tool.updated_at,
    )


def serialize_result(response: ToolResponse) -> ToolResultResponse:
    return ToolResultResponse(
        outcome=response.outcome,
        status=response.status,
        content=response.content,
        seconds=round(response.seconds, 3),
    )
