"""Request bodies, queries and responses of the message endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from parley.common.auth.visitor_session import SESSION_HANDLE_PATTERN
from parley.common.events.schemas import MessageSchema, Mode
from parley.common.http import Id, PageSize, Query, RequestBody, SuccessResponse

MessageContent = Annotated[str, StringConstraints(max_length=8000)]
NonEmptyContent = Annotated[str, StringConstraints(min_length=1, max_length=8000, pattern=r"\S")]
ImageUrl = Annotated[str, StringConstraints(max_length=500)]
FileId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$", max_length=32)]
AfterSeq = Annotated[int, Field(ge=0, le=2**53 - 1)]


class OperatorMessageBody(RequestBody):
    conversation_id: Id
    content: MessageContent = ""
    image_url: ImageUrl | None = None
    file_id: FileId | None = Field(None, description="Of a file that an operator uploaded.")

    @model_validator(mode="after")
    def _require_content(self) -> OperatorMessageBody:
        if not self.content.strip() and not self.image_url and not self.file_id:
            raise ValueError("content, image_url or file_id must not be empty")
        return self


class ProactiveMessageBody(RequestBody):
    site_id: Id
    session_id: Annotated[str, StringConstraints(pattern=SESSION_HANDLE_PATTERN)]
    content: NonEmptyContent


class MessagesQuery(Query):
    before_seq: Id | None = None
    after_seq: AfterSeq | None = None
    limit: PageSize = 50


class MessageResponse(SuccessResponse):
    message: MessageSchema


class MessagesResponse(SuccessResponse):
    messages: list[MessageSchema]
    conversation_id: int | None = None
    mode: Mode | None = None
