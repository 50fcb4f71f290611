"""Request bodies and responses of corrections."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from parley.chat.corrections.model import (
    MAX_TEXT_CHARACTERS,
    AffectedConversation,
    AnsweredQuestion,
    CitedPassage,
    Correction,
    PassageKind,
    PassageState,
)
from parley.chat.knowledge.schemas import KnowledgeEntryBody, Version
from parley.common.events.schemas import ConversationSchema, OperatorRef, Timestamp
from parley.common.http import Id, Query, RequestBody, SuccessResponse

Seq = Annotated[int, Field(ge=1, le=2**31)]


class CitedPassagesQuery(Query):
    conversation_id: Id
    seq: Seq = Field(description="Of the AI's message.")


class CorrectionBody(RequestBody):
    conversation_id: Id
    seq: Seq = Field(description="Of the AI's message that is wrong.")
    note: Annotated[str, StringConstraints(max_length=1000)] = Field("", description="What is wrong.")
    right_answer: Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARACTERS, pattern=r"\S")]


class ApplyCorrectionBody(KnowledgeEntryBody):
    entry_id: Id | None = Field(None, description="The entry to change; null to add one.")
    entry_version: Version | None = Field(
        None, description="Of the entry as it was read. 409 if somebody has changed it since; null to replace any."
    )


class CitedPassageSchema(BaseModel):
    """The passages that an answer cites, with their present state."""

    kind: PassageKind
    source_id: int = Field(description="Of the knowledge entry, or of the page or file.")
    state: PassageState = Field(description="`changed`: it says something else since.")
    title: str
    text: str
    url: str | None
    version: str | None = Field(None, description="Of a knowledge entry, as it is now.")


class CitedPassagesResponse(SuccessResponse):
    question: str
    answer: str
    passages: list[CitedPassageSchema] = Field(
        description="Empty if the answer is based on none, or was given before passages were kept."
    )


class CorrectionSchema(BaseModel):
    """A wrong answer of the AI and the right one."""

    id: int
    conversation_id: int | None = Field(description="Null once the visitor was erased.")
    seq: int | None
    question: str
    wrong_answer: str
    note: str
    right_answer: str
    passages: int = Field(description="How many passages the wrong answer cites.")
    by: OperatorRef
    at: Timestamp
    entry_id: int | None = Field(description="The knowledge entry that says the right answer now.")


class CorrectionResponse(SuccessResponse):
    correction: CorrectionSchema


class CorrectionListResponse(SuccessResponse):
    corrections: list[CorrectionSchema]
    next_cursor: str | None


class AffectedConversationSchema(BaseModel):
    conversation: ConversationSchema
    seqs: list[int] = Field(description="Of the AI's messages that cite what was corrected.")


class AffectedConversationsResponse(SuccessResponse):
    conversations: list[AffectedConversationSchema]
    next_cursor: str | None


def serialize_passages(answered: AnsweredQuestion, passages: list[CitedPassage]) -> CitedPassagesResponse:
    return CitedPassagesResponse(
        question=answered.question,
        answer=answered.answer,
        passages=[
            CitedPassageSchema(
                kind=one.kind,
                source_id=one.source_id,
                state=one.state,
                title=one.title,
                text=one.text,
                url=one.url,
                version=one.version,
            )
            for one in passages
        ],
    )


def serialize_correction(correction: Correction) -> CorrectionSchema:
    return CorrectionSchema(
        id=correction.id,
        conversation_id=correction.conversation_id,
        seq=correction.seq,
        question=correction.question,
        wrong_answer=correction.wrong_answer,
        note=correction.note,
        right_answer=correction.right_answer,
        passages=len(correction.cited),
        by=correction.by,
        at=correction.at,
        entry_id=correction.entry_id,
    )


def serialize_affected(affected: AffectedConversation) -> AffectedConversationSchema:
    return AffectedConversationSchema(conversation=affected.conversation.to_schema(), seqs=list(affected.seqs))
