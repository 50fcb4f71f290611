"""Request bodies and responses of the knowledge endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from parley.chat.knowledge.model import KnowledgeEntry
from parley.common.http import RequestBody, SuccessResponse


class KnowledgeEntryBody(RequestBody):
    question: Annotated[str, StringConstraints(max_length=500, pattern=r"\S")]
    answer: Annotated[str, StringConstraints(max_length=4000, pattern=r"\S")]


Version = Annotated[str, StringConstraints(max_length=64)]


class ReplaceEntryBody(KnowledgeEntryBody):
    version: Version | None = Field(
        None, description="Of the entry as it was read. 409 if somebody has changed it since; null to replace any."
    )


class KnowledgeEntrySchema(BaseModel):
    id: int
    question: str
    answer: str
    version: str = Field(description="Another one with each change of the content.")


class KnowledgeEntryResponse(SuccessResponse):
    entry: KnowledgeEntrySchema


class KnowledgeListResponse(SuccessResponse):
    knowledge: list[KnowledgeEntrySchema]
    next_cursor: str | None


def to_schema(entry: KnowledgeEntry) -> KnowledgeEntrySchema:
    return KnowledgeEntrySchema(id=entry.id, question=entry.question, answer=entry.answer, version=entry.version)
