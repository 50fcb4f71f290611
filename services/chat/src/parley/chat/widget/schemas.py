"""Request bodies, queries and responses of the widget's endpoints."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator

from parley.chat.assignment.queue_places import QueuePlace
from parley.chat.common_fields import Email
from parley.chat.files.model import FilePolicy
from parley.chat.files.schemas import FileLimitsSchema, serialize_limits
from parley.chat.forms.schemas import (
    AskedFormSchema,
    AskedOfflineFormSchema,
    serialize_offline,
    serialize_prechat,
)
from parley.chat.messages.schemas import AfterSeq, FileId, ImageUrl, MessageContent
from parley.chat.visitors.model import Visitor
from parley.chat.visitors.schemas import Name, Phone
from parley.chat.widget.service import WidgetConfig, WidgetMessages
from parley.common.auth.visitor_session import SESSION_HEADER, SESSION_ID_PATTERN
from parley.common.events.schemas import (
    ConfirmationSchema,
    FileSchema,
    MessageSource,
    MessageTranslation,
    Mode,
    OperatorRef,
    QuickReply,
    Role,
    Timestamp,
)
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
    file_id: FileId | None = Field(None, description="Of a file that this session uploaded.")
    lang: Language | None = None
    message_id: MessageId | None = None
    confirm: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = Field(
        None, description="The id of the confirmation that this message agrees to."
    )
    reply_to: Id | None = Field(
        None,
        description="The seq of the message whose quick reply this is; 1 with `trigger_id`. Ignored unless that message"
        " offers it.",
    )
    trigger_id: Id | None = Field(
        None, description="Of a trigger that you were shown and answer: a new conversation begins with its message."
    )

    @model_validator(mode="after")
    def _require_content(self) -> SendMessageBody:
        if not self.message.strip() and not self.image_url and not self.file_id:
            raise ValueError("message, image_url or file_id must not be empty")
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
    conversation_id: Id | None = Field(None, description="The conversation that is rated; by default your latest.")


class VisitorReadBody(WidgetBody):
    seq: Id


class WidgetQuery(Query):
    site_key: SiteKey
    session_id: SessionId | None = Field(None, description=_SESSION_DESCRIPTION)


class HistoryQuery(WidgetQuery):
    before_seq: Id | None = None
    limit: PageSize = 50


class ConfigQuery(WidgetQuery):
    # A page may set any text as its language: then the site's texts are the originals.
    lang: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        None, description="The language (BCP 47) of the site's texts; by default the site's own."
    )


class OperatorMessagesQuery(WidgetQuery):
    after_seq: AfterSeq = 0


class OwnDetails(BaseModel):
    """What a visitor is shown of themselves: what they entered or their site proved, never what operators wrote."""

    session_id: str = Field(description="The public handle of the session, not its secret.")
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str | None = None


class WidgetMessage(BaseModel):
    """A message as the visitor sees it."""

    id: int
    conversation_id: int
    seq: int
    role: Role
    content: str
    image_url: str | None
    file: FileSchema | None
    sender: OperatorRef | None = Field(description="The operator who wrote it; null for other roles.")
    message_id: str | None = Field(description="The id that the sender gave it, if any.")
    translation: MessageTranslation | None
    sources: tuple[MessageSource, ...] = Field(description="Of an AI reply: what it is based on, at most four.")
    confirmation: ConfirmationSchema | None = Field(description="Of an AI reply that asks for your consent.")
    quick_replies: tuple[QuickReply, ...] = Field(description="Buttons for the visitor, at most ten.")
    reply_to: int | None = Field(
        description="Of an AI reply: the seq of the message that it answers; of your message: the seq of the message "
        "whose quick reply it is."
    )
    created_at: Timestamp


class QueuePlaceSchema(BaseModel):
    """A waiting visitor's place in the queue."""

    position: int = Field(description="Counts from 1.")
    estimated_wait_seconds: int | None = Field(
        description="The median wait of the last hour; null if too few visitors waited."
    )


class WidgetMessagesResponse(SuccessResponse):
    messages: list[WidgetMessage]
    conversation_id: int | None = None
    mode: Mode | None = None
    queue: QueuePlaceSchema | None = Field(None, description="While you wait for a person.")


class HistoryResponse(WidgetMessagesResponse):
    operator: str | None = None
    operator_read_seq: int = 0
    visitor: OwnDetails


class ModeResponse(SuccessResponse):
    conversation_id: int
    mode: Mode
    queue: QueuePlaceSchema | None = Field(None, description="While you wait for a person.")


class BlockStatusResponse(SuccessResponse):
    blocked: bool
    block_type: Literal["both", "ai", "operator"] | None = None


class ConfigResponse(SuccessResponse):
    """What the widget needs before the first message."""

    name: str
    welcome: str
    colours: dict[str, str]
    language: str
    operators_online: bool = Field(description="Whether an operator is online, or reachable by push notification.")
    offline_message: str
    open: bool = Field(description="Whether the site is within its business hours; true if it has none.")
    opens_at: Timestamp | None = Field(None, description="When it opens again, if it is closed and that is known.")
    files: FileLimitsSchema = Field(description="Which files the visitor may send, besides images.")
    prechat_form: AskedFormSchema | None = Field(
        None, description="What you have to answer before you begin a conversation; null if there is nothing."
    )
    offline_form: AskedOfflineFormSchema | None = Field(
        None, description="By which you leave a message, while the site is closed or nobody is there."
    )
    page_tracking: bool = Field(True, description="Whether the widget reports the visitor's page.")
    page_parameters: list[str] = Field(default_factory=list, description="The query parameters it reports with it.")
    sound: bool = Field(True, description="Whether new messages make a sound, as long as the visitor has not chosen.")
    read_receipts: bool = Field(True, description="Whether the widget shows that an operator has read a message.")
    transcript_email: bool = Field(False, description="Whether you can have your conversation sent by e-mail.")


def to_queue_place(place: QueuePlace | None) -> QueuePlaceSchema | None:
    return QueuePlaceSchema.model_validate(place, from_attributes=True) if place is not None else None


def to_history_response(visitor: Visitor, found: WidgetMessages, place: QueuePlace | None) -> HistoryResponse:
    conversation = found.conversation
    assigned = conversation.operator if conversation else None
    return HistoryResponse(
        **_conversation_fields(found),
        queue=to_queue_place(place),
        operator=assigned.name if assigned else None,
        operator_read_seq=conversation.operator_read_seq if conversation else 0,
        visitor=to_own_details(visitor),
    )


def to_own_details(visitor: Visitor) -> OwnDetails:
    known = visitor.own_details
    return OwnDetails(
        session_id=visitor.session,
        name=known.get("name"),
        email=known.get("email"),
        phone=known.get("phone"),
        language=visitor.language,
    )


def to_messages_response(found: WidgetMessages, place: QueuePlace | None = None) -> WidgetMessagesResponse:
    return WidgetMessagesResponse(**_conversation_fields(found), queue=to_queue_place(place))


def _conversation_fields(found: WidgetMessages) -> dict[str, Any]:
    conversation = found.conversation
    return {
        "messages": [WidgetMessage.model_validate(one.to_schema(), from_attributes=True) for one in found.messages],
        "conversation_id": conversation.id if conversation else None,
        "mode": conversation.mode if conversation else None,
    }


def to_config_response(config: WidgetConfig, files: FilePolicy, *, transcript_email: bool) -> ConfigResponse:
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
        files=serialize_limits(files, enabled=site.files.enabled_for_visitors),
        prechat_form=config.prechat and serialize_prechat(site.forms.prechat, config.prechat, config.known),
        offline_form=config.offline and serialize_offline(site.forms.offline, config.offline, config.known),
        page_tracking=site.page_tracking,
        page_parameters=list(site.page_parameters),
        sound=site.sound,
        read_receipts=site.read_receipts,
        transcript_email=transcript_email,
    )
