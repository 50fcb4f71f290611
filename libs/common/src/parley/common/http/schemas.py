"""Base classes of request and response schemas, with the conventions of the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MAX_ID = 2**53 - 1
"""The largest integer that every JSON parser represents exactly."""

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
PageSize = Annotated[int, Field(ge=1, le=100)]
Text = Annotated[str, StringConstraints(strip_whitespace=True)]


class RequestBody(BaseModel):
    """A JSON body: unknown fields are ignored, wrong types are errors."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Query(BaseModel):
    """Query parameters: text that is converted to the field's type."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SuccessResponse(BaseModel):
    """A success. The data is in further fields, named after what they contain."""

    model_config = ConfigDict(frozen=True)

    success: Literal[True] = True


class ErrorResponse(BaseModel):
    """An error: a message for people, a code for programs."""

    model_config = ConfigDict(extra="allow")

    success: Literal[False] = False
    error: str
    code: str
    request_id: str
    errors: dict[str, str] | None = None
