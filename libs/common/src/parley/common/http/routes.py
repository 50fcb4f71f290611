"""The types of a route table: each route declares its caller, permission, schemas and limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel

from parley.common.auth.identity import Caller, GatewayCaller, OperatorCaller, Permission, VisitorCaller
from parley.common.http.schemas import RequestBody


class CallerType(Enum):
    """The type of caller that a route accepts."""

    OPERATOR = OperatorCaller
    VISITOR = VisitorCaller
    GATEWAY = GatewayCaller


class RateLimitClass(StrEnum):
    """The rate limit class of a route: the gateway has separate token buckets for each."""

    READ = "read"
    WRITE = "write"
    LOGIN = "login"
    UPLOAD = "upload"
    HEARTBEAT = "beat"
    SEARCH = "search"
    MAIL = "mail"


CallerT = TypeVar("CallerT", bound=Caller)
BodyT = TypeVar("BodyT")
QueryT = TypeVar("QueryT")


@dataclass(frozen=True, slots=True)
class RequestContext(Generic[CallerT, BodyT, QueryT]):
    """A request after authorization and validation."""

    caller: CallerT
    body: BodyT
    query: QueryT
    path: Mapping[str, int]
    request: web.Request
    idempotency_key: str | None = None


Handler = Callable[[Any], Awaitable[BaseModel | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. `required_permission` is checked on the site that the request concerns."""

    method: str
    path: str
    handler: Handler
    caller_type: CallerType
    response_model: type[BaseModel] | None
    summary: str
    required_permission: Permission | None = None
    owner_only: bool = False
    key_scopes: frozenset[Permission] = frozenset()
    """Of a route that changes something and requires no permission on a site: an API key that was made for certain
    scopes needs one of these."""
    body: type[RequestBody] | None = None
    query: type[BaseModel] | None = None
    rate_limit: RateLimitClass = RateLimitClass.READ
    status: int = 200
    response_media_type: str = "application/json"
    """Of the response, if it has no `response_model` (an event stream, an image) or may be a file instead."""
    handles_idempotency: bool = False
    """The service recognizes a repeated Idempotency-Key by what it stored: no response is stored for it."""
    request_media_type: str = "application/json"
    """`multipart/form-data` if the handler reads the body itself."""
    upload_field: str = "image"
    """Of such a form: the name of its file, `image` or `file`."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """An example body (or query), for the OpenAPI document."""
