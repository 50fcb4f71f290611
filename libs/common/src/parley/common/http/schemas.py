"""Base classes of request and response schemas, with the conventions of the API."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from parley.common.texts import VERBATIM, clean_json, clean_value

MAX_ID = 2**53 - 1
"""The largest integer that every JSON parser represents exactly."""

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
PageSize = Annotated[int, Field(ge=1, le=100)]
Text = Annotated[str, StringConstraints(strip_whitespace=True)]


class RequestBody(BaseModel):
    """A JSON body: unknown fields are ignored, wrong types are errors."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", defer_build=True)

    @classmethod
    def parse_json(cls, body: bytes) -> Self:
        """Validate a body whose texts are cleaned first; an empty one counts as `{}`. Raises ValidationError."""
        return cls.model_validate_json(clean_json(body, _verbatim_fields(cls)) if body.strip() else b"{}")


class Query(BaseModel):
    """Query parameters: text that is cleaned, then converted to the field's type."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _clean_texts(cls, values: Any) -> Any:
        return clean_value(values)


@cache
def _verbatim_fields(schema: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, field in schema.model_fields.items() if VERBATIM in field.metadata)


class SuccessResponse(BaseModel):
    """A success. The data is in further fields, named after what they contain."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    success: Literal[True] = True


class ErrorResponse(BaseModel):
    """An error: a message for people, a code for programs."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    success: Literal[False] = False
    error: str
    code: str
    request_id: str
    errors: dict[str, str] | None = None
