"""A visitor's personal data: shown whole, or erased, for the owner of the tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from parley.chat.privacy.service import Counts, Export, KeptConversation, PersonalData
from parley.chat.schemas import HistoryView, TranslationView
from parley.common.auth.identity import OperatorCaller
from parley.common.events.messages import NoteView
from parley.common.events.schemas import ConversationView, MessageView, Timestamp, View, VisitorView
from parley.common.http import Answer, Call, Id, Query, RequestBody

Handle = Annotated[str, StringConstraints(pattern=r"^sess_[0-9a-f]{32}$")]
"""A session's public handle, as lists and events show it."""


class ExportQuery(Query):
    site_id: Id
    session_id: Handle


class EraseBody(RequestBody):
    site_id: Id
    session_id: Handle


class ExportedVisitor(VisitorView):
    """What is known of the visitor beside their conversations."""

    blocked_at: Timestamp | None = None
    lead_at: Timestamp | None = None


class ExportedConversation(ConversationView):
    """A conversation, whole."""

    rating_comment: str | None = None
    rated_at: Timestamp | None = None
    translation: TranslationView
    history: list[HistoryView]
    messages: list[MessageView]
    notes: list[NoteView]


class ExportView(View):
    """All that Parley holds of a visitor. `elsewhere` is what the other services hold, by name."""

    site_id: int
    session_id: str
    exported_at: Timestamp
    visitor: ExportedVisitor | None = Field(None, description="None where they have never written.")
    conversations: list[ExportedConversation]
    images: list[str] = Field(description="Names of images: uploads/<name> on this deployment.")
    elsewhere: dict[str, dict[str, Any] | None]


class ExportAnswer(Answer):
    export: ExportView


class ErasedView(View):
    """How much chat held."""

    conversations: int
    messages: int
    notes: int
    images: int


class EraseAnswer(Answer):
    """Chat's part is erased; the other services erase theirs as they hear of it."""

    erased: ErasedView


@dataclass(frozen=True, slots=True)
class PersonalDataHandlers:
    personal_data: PersonalData

    async def export(self, call: Call[OperatorCaller, None, ExportQuery]) -> ExportAnswer:
        subject = await self.personal_data.subject(call.caller, call.query.site_id, call.query.session_id)
        return ExportAnswer(export=export_view(await self.personal_data.export(call.caller, subject)))

    async def erase(self, call: Call[OperatorCaller, EraseBody, None]) -> EraseAnswer:
        subject = await self.personal_data.subject(call.caller, call.body.site_id, call.body.session_id)
        return EraseAnswer(erased=erased_view(await self.personal_data.erase(call.caller, subject)))


def export_view(export: Export) -> ExportView:
    """The document that a visitor can be given."""
    visitor = export.kept.visitor
    return ExportView(
        site_id=export.subject.site_id,
        session_id=export.subject.session,
        exported_at=export.at,
        visitor=visitor
        and ExportedVisitor(**visitor.view().model_dump(), blocked_at=visitor.blocked_at, lead_at=visitor.lead_at),
        conversations=[_conversation(one) for one in export.kept.conversations],
        images=list(export.kept.images),
        elsewhere={name: dict(found) if found else None for name, found in export.elsewhere.items()},
    )


def erased_view(counts: Counts) -> ErasedView:
    return ErasedView(
        conversations=counts.conversations, messages=counts.messages, notes=counts.notes, images=counts.images
    )


def _conversation(one: KeptConversation) -> ExportedConversation:
    kept = one.conversation
    return ExportedConversation(
        **kept.view().model_dump(),
        rating_comment=kept.rating_comment,
        rated_at=kept.rated_at,
        translation=TranslationView(
            enabled=kept.translation.enabled,
            lang=kept.translation.lang,
            operator_lang=kept.translation.operator_lang,
            supported=kept.translation.supported,
        ),
        history=[HistoryView(at=step.at, action=step.action, by=step.by, to=step.to) for step in kept.history],
        messages=[message.view() for message in one.messages],
        notes=[
            NoteView(id=note.id, content=note.content, author=note.author, created_at=note.created_at)
            for note in one.notes
        ],
    )
