"""The query and the response of a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from parley.chat.paging.schemas import Cursor
from parley.chat.search.model import Kind, SearchHit
from parley.common.events.schemas import Mode, OperatorRef, Role, Schema, Timestamp
from parley.common.http import Id, PageSize, Query, SuccessResponse
from parley.common.http.schemas import Text

_KINDS: dict[str, Kind] = {"messages": "message", "notes": "note", "visitors": "visitor"}
"""Kinds by the names that queries use."""


def _check_kinds(value: str) -> str:
    if any(part not in _KINDS for part in value.split(",")):
        raise ValueError("must be messages, notes or visitors, several separated by commas")
    return value


Kinds = Annotated[str, StringConstraints(max_length=60), AfterValidator(_check_kinds)]


class SearchQuery(Query):
    """`q` is found where all its words are; a "quoted phrase" only where its words are adjacent."""

    q: Annotated[Text, StringConstraints(min_length=1, max_length=200)]
    site_id: Id | None = None
    in_: Kinds = Field(
        "messages,notes,visitors",
        alias="in",
        json_schema_extra={"pattern": "^(messages|notes|visitors)(,(messages|notes|visitors))*$"},
    )
    limit: PageSize = 30
    cursor: Cursor | None = None

    @property
    def kinds(self) -> list[Kind]:
        return list(dict.fromkeys(_KINDS[part] for part in self.in_.split(",")))


class SnippetSchema(Schema):
    """A part of a text, with what of it matches."""

    text: str
    marks: list[tuple[int, int]] = Field(description="Ranges [start, end) of the text, in Unicode code points.")


class HitConversationSchema(Schema):
    """The conversation that a hit is part of."""

    id: int
    site_id: int
    mode: Mode
    visitor_name: str | None = None


class SearchHitSchema(Schema):
    """A message, a note, or the visitor of a conversation."""

    kind: Kind
    id: int = Field(description="Of the message or note; of a visitor, that of the conversation.")
    conversation: HitConversationSchema
    seq: int | None = Field(None, description="Of a message.")
    role: Role | None = Field(None, description="Of a message.")
    author: OperatorRef | None = Field(None, description="Who wrote a note, or a message as an operator.")
    at: Timestamp
    snippet: SnippetSchema


class SearchResponse(SuccessResponse):
    hits: list[SearchHitSchema]
    next_cursor: str | None = Field(
        None, description="Of the next page. A page may have fewer hits than asked for, and a next one."
    )


def to_hits(hits: Sequence[SearchHit]) -> list[SearchHitSchema]:
    return [
        SearchHitSchema(
            kind=hit.kind,
            id=hit.source_id,
            conversation=HitConversationSchema(
                id=hit.conversation_id, site_id=hit.site_id, mode=hit.mode, visitor_name=hit.visitor_name
            ),
            seq=hit.seq,
            role=hit.role,
            author=hit.author,
            at=hit.at,
            snippet=SnippetSchema(text=hit.snippet.text, marks=list(hit.snippet.marks)),
        )
        for hit in hits
    ]
