"""Request bodies and responses of the knowledge endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, StringConstraints

from parley.chat.knowledge.model import KnowledgeEntry
from parley.common.http import RequestBody, SuccessResponse


class KnowledgeEntryBody(RequestBody):
    question: Annotated[str, StringConstraints(max_length=500, pattern=r"\S")]
    answer: Annotated[str, StringConstraints(max_length=4000, pattern=r"\S")]


class KnowledgeEntrySchema(BaseModel):
    id: int
    question: str
    answer: str


class KnowledgeEntryResponse(SuccessResponse):
    entry: KnowledgeEntrySchema


class KnowledgeListResponse(SuccessResponse):
    knowledge: list[KnowledgeEntrySchema]
    next_cursor: str | None


def to_schema(entry: KnowledgeEntry) -> KnowledgeEntrySchema:
    return KnowledgeEntrySchema(id=entry.id, question=entry.question, answer=entry.answer)
