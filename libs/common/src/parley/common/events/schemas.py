"""Schemas of conversations, messages and visitors, the same in HTTP responses and in events.

A client can replace a row that it has with the schema from an event, and then has what a fresh list would return.
"""

from __future__ import annotations

from datetime import datetime
from operator import not_
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from parley.common.runtime.clock import to_rfc3339

Timestamp = Annotated[datetime, PlainSerializer(to_rfc3339, return_type=str, when_used="json")]
"""Serialized as RFC 3339, UTC, milliseconds."""

Mode = Literal["ai", "pending", "operator", "closed"]
"""Who answers: the AI; nobody yet (handoff requested); an operator; nobody (closed)."""

FileKind = Literal["pdf", "document", "text", "audio", "video"]
"""What a file is, by its content. Images are uploaded elsewhere and have no kind."""

Role = Literal["visitor", "ai", "operator", "system"]
BlockType = Literal["both", "ai", "operator"]


class Schema(BaseModel):
    """Base of the schemas in responses and events."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class OperatorRef(Schema):
    """A reference to an operator, with the name to show."""

    id: int
    name: str


class TeamRef(Schema):
    """A reference to a team, with the name to show."""

    id: int
    name: str


class MessageTranslation(Schema):
    """A message's text in the other side's language, or the reason it has none."""

    lang: str
    content: str | None = None
    status: Literal["done", "failed", "unsupported"] = "done"
    quick_replies: tuple[str, ...] = Field((), description="The labels of its quick replies, in their order.")


class FileSchema(Schema):
    """A file of a message."""

    id: str
    url: str = Field(description="Answers with an attachment, also in parts (range requests).")
    name: str = Field(description="The name that the sender gave it, without a path and with a fitting extension.")
    size: int = Field(description="In bytes.")
    kind: FileKind
    content_type: str
    duration: float | None = Field(None, description="Of a recording, in seconds, as its sender says.")
    expires_at: Timestamp | None = Field(None, description="When its content is deleted.")


class MessageSource(Schema):
    """What an AI reply is based on: a page, a file, or a knowledge entry without an address."""

    title: str
    url: str | None = None


class ToolCallSchema(Schema):
    """A call of one of the site's tools for an AI reply, shortened. Operators read it, visitors never do."""

    name: str
    title: str
    arguments: str = Field(description="As JSON.")
    result: str = Field(description="The result that the AI got.")
    outcome: str = Field(description="How it ended: `ok`, `asked` (the visitor is asked first), or why it failed.")
    seconds: float = 0.0


class ConfirmationSchema(Schema):
    """The AI asks the visitor before it changes something. The message says what, and with which values."""

    id: str = Field(description="Send it as `confirm` with the message that agrees.")
    title: str
    expires_at: Timestamp


class QuickReply(Schema):
    """A button below a message: it sends a text as the visitor's message, or opens an address."""

    label: str
    value: str | None = Field(None, description="What it sends; null for its label.")
    url: str | None = Field(None, description="What it opens in place of sending, http or https.")
    handoff: bool = Field(
        default=False,
        # A client may send what it has read as the quick replies of a message, and those have no such field.
        exclude_if=not_,
        description="Whether the AI offers a person with it: a client needs no other button for that.",
    )


class MessageSchema(Schema):
    """A message. `seq` counts from 1 in its conversation, without gaps."""

    id: int
    conversation_id: int
    seq: int
    role: Role
    content: str
    image_url: str | None = None
    file: FileSchema | None = None
    sender: OperatorRef | None = Field(None, description="The operator who wrote it; null for other roles.")
    message_id: str | None = Field(None, description="The id that the sender gave it, if any.")
    translation: MessageTranslation | None = None
    sources: tuple[MessageSource, ...] = Field((), description="Of an AI reply: what it is based on, at most four.")
    confirmation: ConfirmationSchema | None = Field(None, description="Of an AI reply that asks for consent.")
    tool_calls: tuple[ToolCallSchema, ...] = Field((), description="Of an AI reply: the tools that were called for it.")
    quick_replies: tuple[QuickReply, ...] = Field((), description="Buttons for the visitor, at most ten.")
    cap_reached: str | None = Field(
        None,
        description="Of an AI reply by the built-in engine in place of the site's: the limit of the day that was "
        "reached, such as `site` (replies) or `site_tokens`.",
    )
    image_use: str | None = Field(
        None,
        description="Of an AI reply to an image: `seen` by the model, or why it was not sent: `off` (the site does not "
        "want it), `no_vision` (the check has not found that the model sees images), `unreadable`, `no_model`.",
    )
    reply_to: int | None = Field(
        None,
        description="Of an AI reply: the seq of the message that it answers; of a visitor's message: the seq of the "
        "message whose quick reply it is.",
    )
    created_at: Timestamp


class LastMessage(Schema):
    """The newest message, shortened to a line for lists."""

    seq: int
    role: Role
    preview: str
    created_at: Timestamp


AttributeValue = str | bool | int | float

ContactField = Literal["name", "email", "phone"]


class FormAnswerSchema(Schema):
    """A visitor's answer to a field of the site's own form, with the label that the field had."""

    key: str
    label: str
    value: str | bool


class ConsentSchema(Schema):
    """What a visitor has said to one version of the text that a site asks them to agree to."""

    given: bool
    version: int = Field(description="Of the text; the site's forms list what each version says.")
    language: str | None = Field(None, description="In which the visitor was asked.")
    at: Timestamp


class VisitorFormSchema(Schema):
    """What a visitor has answered in the site's forms, besides name, e-mail and phone."""

    answers: tuple[FormAnswerSchema, ...] = ()
    consent: ConsentSchema | None = None
    department: TeamRef | None = Field(None, description="The team that the visitor chose last.")
    language: str | None = None
    answered_at: Timestamp


class VisitorSchema(Schema):
    """A visitor as operators see them. `session_id` is the public handle, not the visitor's secret."""

    session_id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    info: dict[str, str] = {}
    language: str | None = None
    blocked: BlockType | None = None
    verified: bool = Field(False, description="Whether the site's server has proved who this is.")
    external_id: str | None = Field(None, description="The id under which the site knows this person, if verified.")
    verified_fields: tuple[ContactField, ...] = Field(
        (), description="Those of name, email and phone that the site's server has proved."
    )
    attributes: dict[str, AttributeValue] = Field({}, description="Further facts that the site's server has proved.")
    form: VisitorFormSchema | None = Field(None, description="What they answered in the site's forms.")


class ConversationSchema(Schema):
    """A conversation as a row of a list."""

    id: int
    site_id: int
    mode: Mode
    visitor: VisitorSchema
    operator: OperatorRef | None = Field(None, description="The operator it is assigned to.")
    last_message: LastMessage | None = None
    last_visitor_message: LastMessage | None = Field(None, description="The visitor's newest message.")
    last_seq: int = Field(0, description="The seq of the newest message.")
    unread: int = Field(0, description="Visitor messages that no operator has read; 999 means that or more.")
    operator_read_seq: int = 0
    visitor_read_seq: int = 0
    waiting_since: Timestamp | None = Field(
        None, description="When the handoff was requested, if the visitor is waiting."
    )
    reply_due_at: Timestamp | None = Field(
        None, description="When it returns to the queue unless the operator has replied."
    )
    team_id: int | None = Field(None, description="The team it was transferred to.")
    previous_id: int | None = Field(None, description="The visitor's conversation before this one.")
    rating: int | None = None
    labels: tuple[int, ...] = Field((), description="Ids of its labels.")
    snoozed_until: Timestamp | None = Field(
        None, description="Until then, or until the visitor writes, the lists of open conversations leave it out."
    )
    created_at: Timestamp
    updated_at: Timestamp
    version: int = Field(0, description="Grows with every change.")
