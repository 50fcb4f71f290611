"""The route table's vocabulary: what a route takes, gives, and demands of its caller, in one line each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel

from parley.common.auth.identity import Caller, GatewayCaller, OperatorCaller, Permission, VisitorCaller


class CallerType(Enum):
    """Which kind of caller a route is for."""

    OPERATOR = OperatorCaller
    VISITOR = VisitorCaller
    GATEWAY = GatewayCaller


class RateLimitClass(StrEnum):
    """The rate class of a route: each has token buckets of its own at the gateway."""

    READ = "read"
    WRITE = "write"
    LOGIN = "login"
    UPLOAD = "upload"
    HEARTBEAT = "beat"


CallerT = TypeVar("CallerT", bound=Caller)
BodyT = TypeVar("BodyT")
QueryT = TypeVar("QueryT")


@dataclass(frozen=True, slots=True)
class RequestContext(Generic[CallerT, BodyT, QueryT]):
    """One request, checked: who asks, and what for."""

    caller: CallerT
    body: BodyT
    query: QueryT
    path: Mapping[str, int]
    request: web.Request
    idempotency_key: str | None = None


Handler = Callable[[Any], Awaitable[BaseModel | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. `needs` is the permission that the caller must have on the site it concerns."""

    method: str
    path: str
    handler: Handler
    caller_type: CallerType
    response_model: type[BaseModel] | None
    summary: str
    required_permission: Permission | None = None
    owner_only: bool = False
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    rate_limit: RateLimitClass = RateLimitClass.READ
    status: int = 200
    response_media_type: str = "application/json"
    """What it answers with when not JSON: an event stream, an image."""
    handles_idempotency: bool = False
    """The domain itself knows a repeated Idempotency-Key: nothing needs to be remembered beside what is written."""
    request_media_type: str = "application/json"
    """`multipart/form-data` where the handler reads the body itself."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """A body (or query) that shows how it is called."""
