"""The shapes in which conversations, messages and visitors are shown: the same in answers and in events.

A client can take an event's view and put it in place of the row it has; it then holds what a fresh list would
give it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from parley.common.runtime.clock import rfc3339

Timestamp = Annotated[datetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]
"""RFC 3339, UTC, milliseconds."""

Mode = Literal["ai", "pending", "operator", "closed"]
"""Who answers: the AI, nobody yet (a person is awaited), an operator, or nobody any more."""

Role = Literal["visitor", "ai", "operator", "system"]
BlockType = Literal["both", "ai", "operator"]


class View(BaseModel):
    """Base of what is shown."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Person(View):
    """An operator as others see them."""

    id: int
    name: str


class MessageTranslation(View):
    """A message's text in the other side's language, or why there is none."""

    lang: str
    content: str | None = None
    status: Literal["done", "failed", "unsupported"] = "done"


class MessageView(View):
    """One message. `seq` counts from 1 in its conversation, without gaps."""

    id: int
    conversation_id: int
    seq: int
    role: Role
    content: str
    image_url: str | None = None
    sender: Person | None = Field(None, description="The operator who wrote it; None for other roles.")
    message_id: str | None = Field(None, description="The sender's own id of it, where one was given.")
    translation: MessageTranslation | None = None
    created_at: Timestamp


class LastMessage(View):
    """The newest message, cut to a line for lists."""

    seq: int
    role: Role
    preview: str
    created_at: Timestamp


class VisitorView(View):
    """A visitor as operators see them. `session_id` is the public handle, not the visitor's secret."""

    session_id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    info: dict[str, str] = {}
    language: str | None = None
    blocked: BlockType | None = None


class ConversationView(View):
    """A conversation as a row of a list: what an operator has to know before opening it."""

    id: int
    site_id: int
    mode: Mode
    visitor: VisitorView
    operator: Person | None = Field(None, description="Who holds it.")
    last_message: LastMessage | None = None
    last_seq: int = Field(0, description="The seq of the newest message.")
    unread: int = Field(0, description="Visitor messages that no operator has read; 999 means that or more.")
    operator_read_seq: int = 0
    visitor_read_seq: int = 0
    waiting_since: Timestamp | None = Field(None, description="Since when the visitor waits for a person.")
    previous_id: int | None = Field(None, description="The visitor's conversation before this one.")
    rating: int | None = None
    created_at: Timestamp
    updated_at: Timestamp
    version: int = Field(0, description="Grows with every change; the higher one is the newer.")
