"""Request and response bodies of the export and the erasure of a visitor's personal data."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from parley.chat.conversations.schemas import HistoryEntrySchema, TranslationStateSchema
from parley.chat.privacy.model import DataCounts, DerivedKind, PersonalDataExport, StoredConversation
from parley.common.auth.visitor_session import SESSION_HANDLE_PATTERN
from parley.common.events.messages import NoteSchema
from parley.common.events.schemas import (
    ConversationSchema,
    FileKind,
    MessageSchema,
    QuickReply,
    Schema,
    Timestamp,
    VisitorSchema,
)
from parley.common.http import Id, Query, RequestBody, SuccessResponse

SessionHandle = Annotated[str, StringConstraints(pattern=SESSION_HANDLE_PATTERN)]
"""The public handle of a session, as lists and events show it."""


class ExportQuery(Query):
    site_id: Id
    session_id: SessionHandle


class EraseBody(RequestBody):
    site_id: Id
    session_id: SessionHandle


class ExportedVisitor(VisitorSchema):
    """A visitor without their conversations. `given`: the contact details as the visitor entered them."""

    given: dict[str, str] = Field(default_factory=dict)
    blocked_at: Timestamp | None = None
    lead_at: Timestamp | None = None


class ExportedConversation(ConversationSchema):
    """A conversation with all its messages and notes."""

    rating_comment: str | None = None
    rated_at: Timestamp | None = None
    translation: TranslationStateSchema
    history: list[HistoryEntrySchema]
    messages: list[MessageSchema]
    notes: list[NoteSchema]


class ExportedFile(Schema):
    """A file in the visitor's conversations or uploaded by them."""

    id: str
    name: str
    size: int = Field(description="In bytes.")
    kind: FileKind
    content_type: str
    sha256: str


class ExportedText(Schema):
    """A text that was made from the visitor's conversations, or an address to which they were sent."""

    kind: DerivedKind
    text: str


class ExportedTrigger(Schema):
    """A message of the assistant that the visitor was shown before they wrote: the last time."""

    trigger_id: int
    message: str
    quick_replies: tuple[QuickReply, ...]
    shown_at: Timestamp
    opened: bool
    answered: bool


class ExportSchema(Schema):
    """What Parley stores about a visitor. `elsewhere` is what the other services store, by name."""

    site_id: int
    session_id: str
    exported_at: Timestamp
    visitor: ExportedVisitor | None = Field(None, description="Null if they have never written.")
    conversations: list[ExportedConversation]
    images: list[str] = Field(description="Names of images; their URLs are uploads/<name> on this deployment.")
    files: list[ExportedFile] = Field(description="Files that are still stored; files/<id>/<name> on this deployment.")
    derived: list[ExportedText] = Field(
        description="What was made from the conversations to improve the AI, and where they were sent."
    )
    triggers: list[ExportedTrigger] = Field(default_factory=list)
    elsewhere: dict[str, dict[str, Any] | None]


class ExportResponse(SuccessResponse):
    export: ExportSchema


class ErasedCounts(Schema):
    """What chat has erased."""

    conversations: int
    messages: int
    notes: int
    images: int
    files: int
    triggers: int = 0


class EraseResponse(SuccessResponse):
    """Chat's part is erased; the other services erase theirs as soon as they receive the event."""

    erased: ErasedCounts


def serialize_export(export: PersonalDataExport) -> ExportSchema:
    visitor = export.stored.visitor
    return ExportSchema(
        site_id=export.subject.site_id,
        session_id=export.subject.session,
        exported_at=export.at,
        visitor=visitor
        and ExportedVisitor(
            **visitor.to_schema().model_dump(),
            given=dict(visitor.self_reported),
            blocked_at=visitor.blocked_at,
            lead_at=visitor.lead_at,
        ),
        conversations=[_serialize_conversation(stored) for stored in export.stored.conversations],
        images=list(export.stored.images),
        files=[ExportedFile.model_validate(file, from_attributes=True) for file in export.stored.files],
        derived=[ExportedText(kind=one.kind, text=one.text) for one in export.stored.derived],
        triggers=[ExportedTrigger.model_validate(one, from_attributes=True) for one in export.stored.triggers],
        elsewhere={name: dict(result) if result else None for name, result in export.remote.items()},
    )


def serialize_counts(counts: DataCounts) -> ErasedCounts:
    return ErasedCounts(
        conversations=counts.conversations,
        messages=counts.messages,
        notes=counts.notes,
        images=counts.images,
        files=counts.files,
        triggers=counts.triggers,
    )


def _serialize_conversation(stored: StoredConversation) -> ExportedConversation:
    conversation = stored.conversation
    translation = conversation.translation
    return ExportedConversation(
        **conversation.to_schema().model_dump(),
        rating_comment=conversation.rating_comment,
        rated_at=conversation.rated_at,
        translation=TranslationStateSchema(
            enabled=translation.enabled,
            lang=translation.lang,
            operator_lang=translation.operator_lang,
            supported=translation.supported,
        ),
        history=[
            HistoryEntrySchema(at=entry.at, action=entry.action, by=entry.by, to=entry.to)
            for entry in conversation.history
        ],
        messages=[message.to_schema() for message in stored.messages],
        notes=[note.to_schema() for note in stored.notes],
    )
