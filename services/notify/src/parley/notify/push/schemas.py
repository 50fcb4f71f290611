"""Request and response bodies of the push endpoints."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from parley.common.http import Query, RequestBody, SuccessResponse
from parley.notify.push.model import Platform, PushOutcome

_TOKEN_PATTERN = r"^[A-Za-z0-9_:.\-]+$"  # noqa: S105 - a pattern


class RegisterTokenBody(RequestBody):
    token: str = Field(min_length=8, max_length=4096, pattern=_TOKEN_PATTERN)
    platform: Platform = "unknown"


class RemoveTokenBody(RequestBody):
    """Without a token, here or in the query, all of the caller's tokens are removed."""

    token: str | None = Field(None, min_length=1, max_length=4096)


class RemoveTokenQuery(Query):
    token: str | None = Field(None, min_length=1, max_length=4096)


class DeviceReceipt(BaseModel):
    """One device and the provider's answer for it."""

    platform: Platform
    outcome: PushOutcome
    status: int = Field(description="The provider's HTTP status; 0 if it did not answer.")
    code: str
    message: str


class SelfTestResponse(SuccessResponse):
    """The result of a test push."""

    push: Literal["sent", "failed", "off"] = Field(description="`sent` if the provider accepted at least one.")
    devices: tuple[DeviceReceipt, ...] = ()
