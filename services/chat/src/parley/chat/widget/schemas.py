"""Request bodies, queries and responses of the widget's endpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from parley.chat.common_fields import Email
from parley.chat.messages.schemas import AfterSeq, ImageUrl, MessageContent, MessagesResponse
from parley.chat.visitors.schemas import Name, Phone
from parley.chat.widget.service import WidgetConfig, WidgetMessages
from parley.common.auth.visitor_session import SESSION_HEADER, SESSION_ID_PATTERN
from parley.common.events.schemas import Mode, Timestamp, VisitorSchema
from parley.common.http import Id, PageSize, Query, RequestBody, SuccessResponse

SiteKey = Annotated[str, StringConstraints(max_length=64)]
SessionId = Annotated[str, StringConstraints(pattern=SESSION_ID_PATTERN)]
_SESSION_DESCRIPTION = f"Required unless the header {SESSION_HEADER} carries it."
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$", max_length=35)]
MessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


class WidgetBody(RequestBody):
    """Every body of the widget names its site and session; the gateway derives the caller from them."""

    site_key: SiteKey
    session_id: SessionId | None = Field(None, description=_SESSION_DESCRIPTION)


class SendMessageBody(WidgetBody):
    message: MessageContent = ""
    image_url: ImageUrl | None = None
    lang: Language | None = None
    message_id: MessageId | None = None

    @model_validator(mode="after")
    def _require_content(self) -> SendMessageBody:
        if not self.message.strip() and not self.image_url:
            raise ValueError("message or image_url must not be empty")
        return self


class EmailBody(WidgetBody):
    email: Email
    name: Name | None = None


class ContactBody(WidgetBody):
    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None

    @model_validator(mode="after")
    def _require_one_field(self) -> ContactBody:
        if not (self.name or self.email or self.phone):
            raise ValueError("name, email or phone must not be empty")
        return self


class RatingBody(WidgetBody):
    score: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str, StringConstraints(max_length=2000)] | None = None


class VisitorReadBody(WidgetBody):
    seq: Id


class WidgetQuery(Query):
    site_key: SiteKey
    session_id: SessionId | None = Field(None, description=_SESSION_DESCRIPTION)


class HistoryQuery(WidgetQuery):
    before_seq: Id | None = None
    limit: PageSize = 50


class OperatorMessagesQuery(WidgetQuery):
    after_seq: AfterSeq = 0


class HistoryResponse(MessagesResponse):
    operator: str | None = None
    operator_read_seq: int = 0
    visitor: VisitorSchema


class ModeResponse(SuccessResponse):
    conversation_id: int
    mode: Mode


class BlockStatusResponse(SuccessResponse):
    blocked: bool
    block_type: Literal["both", "ai", "operator"] | None = None


class ConfigResponse(SuccessResponse):
    """What the widget needs before the first message."""

    name: str
    welcome: str
    colours: dict[str, str]
    language: str
    operators_online: bool
    offline_message: str
    open: bool = Field(description="Whether the site is within its business hours; true if it has none.")
    opens_at: Timestamp | None = Field(None, description="When it opens again, if it is closed and that is known.")


def to_messages_response(found: WidgetMessages) -> MessagesResponse:
    conversation = found.conversation
    if conversation is None:
        return MessagesResponse(messages=[])
    return MessagesResponse(
        messages=[message.to_schema() for message in found.messages],
        conversation_id=conversation.id,
        mode=conversation.mode,
    )


def to_config_response(config: WidgetConfig) -> ConfigResponse:
    site, opening = config.site, config.opening
    return ConfigResponse(
        name=site.bot_name,
        welcome=site.welcome,
        colours=dict(site.colours),
        language=site.language,
        operators_online=config.operators_online,
        offline_message=site.offline_message,
        open=opening.open,
        opens_at=opening.opens_at,
    )
