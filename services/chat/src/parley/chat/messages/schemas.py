"""Request bodies, queries and responses of the message endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from parley.chat.common_fields import single_direction
from parley.chat.messages.model import MAX_LABEL_CHARACTERS, MAX_QUICK_REPLIES
from parley.common.auth.visitor_session import SESSION_HANDLE_PATTERN
from parley.common.events.schemas import MessageSchema, Mode, QuickReply
from parley.common.http import Id, PageSize, Query, RequestBody, SuccessResponse

MessageContent = Annotated[str, StringConstraints(max_length=8000)]
NonEmptyContent = Annotated[str, StringConstraints(min_length=1, max_length=8000, pattern=r"\S")]
ImageUrl = Annotated[str, StringConstraints(max_length=500)]
FileId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$", max_length=32)]
AfterSeq = Annotated[int, Field(ge=0, le=2**53 - 1)]

_ONE_LINE = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
LinkUrl = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s/?#<>\"\\]+[^\s<>\"\\]*$")]


class QuickReplyBody(RequestBody):
    """A button below a message: it sends a text as the visitor's message, or opens an address."""

    label: Annotated[
        str,
        BeforeValidator(single_direction),
        StringConstraints(strip_whitespace=True, max_length=MAX_LABEL_CHARACTERS, pattern=_ONE_LINE),
    ]
    value: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)] | None = Field(
        None, description="What it sends; by default its label."
    )
    url: LinkUrl | None = Field(None, description="What it opens in place of sending: an address, http or https.")

    @model_validator(mode="after")
    def _require_one_effect(self) -> QuickReplyBody:
        if self.value is not None and self.url is not None:
            raise ValueError("value and url exclude each other")
        return self


QuickReplies = Annotated[list[QuickReplyBody], Field(max_length=MAX_QUICK_REPLIES)]


def to_quick_replies(bodies: Sequence[QuickReplyBody]) -> tuple[QuickReply, ...]:
    return tuple(QuickReply(label=body.label, value=body.value, url=body.url) for body in bodies)


class OperatorMessageBody(RequestBody):
    conversation_id: Id
    content: MessageContent = ""
    image_url: ImageUrl | None = None
    file_id: FileId | None = Field(None, description="Of a file that an operator uploaded.")
    quick_replies: QuickReplies = Field([], description="Buttons for the visitor.")

    @model_validator(mode="after")
    def _require_content(self) -> OperatorMessageBody:
        if not self.content.strip() and not self.image_url and not self.file_id:
            raise ValueError("content, image_url or file_id must not be empty")
        return self


class ProactiveMessageBody(RequestBody):
    site_id: Id
    session_id: Annotated[str, StringConstraints(pattern=SESSION_HANDLE_PATTERN)]
    content: NonEmptyContent
    quick_replies: QuickReplies = Field([], description="Buttons for the visitor.")


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
