"""Request bodies and responses of gaps."""

from __future__ import annotations

from pydantic import BaseModel, Field

from parley.chat.knowledge.schemas import KnowledgeEntryBody
from parley.chat.knowledge_gaps.model import Gap, GapDetails, GapState, Outcome
from parley.chat.paging.schemas import PageQuery
from parley.common.events.schemas import Timestamp
from parley.common.http import RequestBody, SuccessResponse


class GapsQuery(PageQuery):
    state: GapState = "open"


class GapStateBody(RequestBody):
    state: GapState


class GapEntryBody(KnowledgeEntryBody):
    """The entry as a person has confirmed it."""


class GapSchema(BaseModel):
    """Questions that mean the same and that the AI could not answer."""

    id: int
    state: GapState
    question: str = Field(description="One of them, as a visitor wrote it.")
    count: int
    last_asked_at: Timestamp
    languages: list[str]
    entry_id: int | None = Field(description="The knowledge entry that was made from it.")
    answered_at: Timestamp | None
    reopened_at: Timestamp | None = Field(description="When it was asked again after it had been answered.")


class GapExampleSchema(BaseModel):
    conversation_id: int
    seq: int = Field(description="Of the visitor's message.")
    text: str
    language: str | None
    outcome: Outcome
    at: Timestamp


class GapWeekSchema(BaseModel):
    week: Timestamp = Field(description="Its Monday, UTC.")
    count: int
    total: int = Field(description="All questions of the site without an answer in this week.")


class GapDraftSchema(BaseModel):
    """What a new entry may begin with. A person reads it first."""

    question: str
    answer: str = Field(description="What an operator answered in one of the conversations; empty if nobody did.")
    conversation_id: int | None


class GapResponse(SuccessResponse):
    gap: GapSchema


class GapListResponse(SuccessResponse):
    gaps: list[GapSchema]
    next_cursor: str | None


class GapDetailsResponse(GapResponse):
    examples: list[GapExampleSchema] = Field(description="The newest questions.")
    weeks: list[GapWeekSchema] = Field(description="The last 12 weeks; those without questions are left out.")
    draft: GapDraftSchema


def serialize_gap(gap: Gap) -> GapSchema:
    return GapSchema(
        id=gap.id,
        state=gap.state,
        question=gap.question,
        count=gap.count,
        last_asked_at=gap.last_asked_at,
        languages=list(gap.languages),
        entry_id=gap.entry_id,
        answered_at=gap.answered_at,
        reopened_at=gap.reopened_at,
    )


def serialize_details(details: GapDetails) -> GapDetailsResponse:
    draft = details.draft
    return GapDetailsResponse(
        gap=serialize_gap(details.gap),
        examples=[
            GapExampleSchema(
                conversation_id=one.conversation_id,
                seq=one.seq,
                text=one.text,
                language=one.language,
                outcome=one.outcome,
                at=one.at,
            )
            for one in details.examples
        ],
        weeks=[GapWeekSchema(week=one.week, count=one.count, total=one.total) for one in details.weeks],
        draft=GapDraftSchema(question=draft.question, answer=draft.answer, conversation_id=draft.conversation_id),
    )
