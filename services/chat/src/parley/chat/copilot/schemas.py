"""Request bodies and responses of the copilot's endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from parley.chat.common_fields import Language
from parley.chat.copilot.model import RewriteStyle
from parley.common.events.schemas import Schema
from parley.common.http import RequestBody, SuccessResponse


class RewriteBody(RequestBody):
    """`language` is the language to translate into; without it, the visitor's. Other styles ignore it."""

    text: Annotated[str, StringConstraints(max_length=8000, pattern=r"\S")]
    style: RewriteStyle
    language: Language | None = None


class SourceSchema(Schema):
    """A knowledge entry that the suggestion is based on."""

    question: str
    answer: str


class SuggestionResponse(SuccessResponse):
    text: str
    sources: list[SourceSchema]


class TextResponse(SuccessResponse):
    text: str


class CopilotResponse(SuccessResponse):
    available: bool
