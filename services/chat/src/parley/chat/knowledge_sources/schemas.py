"""Request bodies and responses of the endpoints of knowledge sources."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from parley.chat.knowledge_sources.limits import MAX_DEPTH, MAX_PAGES, MAX_URL_LENGTH
from parley.chat.knowledge_sources.model import (
    DocumentCounts,
    DocumentStatus,
    Schedule,
    SectionChange,
    Source,
    SourceDocument,
    SourceKind,
    SourceOptions,
    SyncState,
)
from parley.chat.paging.schemas import PageQuery
from parley.common.events.schemas import Timestamp
from parley.common.http import RequestBody, SuccessResponse

SourceName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
ColumnName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Depth = Annotated[int, Field(ge=0, le=MAX_DEPTH)]
PageCount = Annotated[int, Field(ge=1, le=MAX_PAGES)]


class SourceBody(RequestBody):
    """`url` is required for `web_page`, `sitemap` and `crawl`: the page, a sitemap or its website, the first page.

    `max_depth` counts the links from there. The columns are those of CSV files, the first two by default. With
    `review`, changes wait until an operator approves them.
    """

    kind: SourceKind
    name: SourceName
    url: Annotated[str, StringConstraints(max_length=MAX_URL_LENGTH)] | None = None
    max_depth: Depth = 3
    max_pages: PageCount = 200
    schedule: Schedule = "manual"
    review: bool = False
    question_column: ColumnName | None = None
    answer_column: ColumnName | None = None

    def to_options(self) -> SourceOptions:
        return SourceOptions(**self.model_dump(exclude={"kind"}))


class SourceChangeBody(RequestBody):
    """What is left out stays as it is."""

    name: SourceName | None = None
    max_depth: Depth | None = None
    max_pages: PageCount | None = None
    enabled: bool | None = None
    schedule: Schedule | None = None
    review: bool | None = None
    question_column: ColumnName | None = None
    answer_column: ColumnName | None = None

    def to_fields(self) -> dict[str, object]:
        return self.model_dump(exclude_none=True)


class DocumentBody(RequestBody):
    """Whether answers may be given from the document."""

    enabled: bool


class DocumentsQuery(PageQuery):
    """`pending` leaves only documents with a change that waits to be approved."""

    status: DocumentStatus | None = None
    pending: bool = False


class SyncErrorSchema(BaseModel):
    """A code for programs, and a sentence for people."""

    code: str
    message: str


class SyncSchema(BaseModel):
    """The sync that runs or is due (`waiting`), or the last one. `done` of `total` documents were dealt with."""

    state: SyncState
    done: int
    total: int
    started_at: Timestamp | None
    finished_at: Timestamp | None
    next_at: Timestamp | None
    error: SyncErrorSchema | None


class DocumentCountsSchema(BaseModel):
    """Documents by status, those with a change that waits to be approved, and passages that answers are given from."""

    ready: int
    failed: int
    skipped: int
    pending: int
    passages: int


class KnowledgeSourceSchema(BaseModel):
    id: int
    kind: SourceKind
    name: str
    url: str | None
    max_depth: int
    max_pages: int
    enabled: bool
    schedule: Schedule
    review: bool
    question_column: str | None
    answer_column: str | None
    created_at: Timestamp
    sync: SyncSchema
    documents: DocumentCountsSchema


class KnowledgeSourceResponse(SuccessResponse):
    source: KnowledgeSourceSchema


class KnowledgeSourcesResponse(SuccessResponse):
    sources: list[KnowledgeSourceSchema]
    next_cursor: str | None


class KnowledgeDocumentSchema(BaseModel):
    """A page or file. `version` counts the contents that went live; `size` is in bytes."""

    id: int
    name: str
    url: str | None
    title: str
    language: str | None
    status: DocumentStatus
    error: SyncErrorSchema | None
    enabled: bool
    pending: bool
    version: int
    passages: int
    size: int
    fetched_at: Timestamp | None


class KnowledgeDocumentResponse(SuccessResponse):
    document: KnowledgeDocumentSchema


class KnowledgeDocumentsResponse(SuccessResponse):
    documents: list[KnowledgeDocumentSchema]
    next_cursor: str | None


class SectionChangeSchema(BaseModel):
    """A section that is added, removed or changed. Each line begins with `+`, `-` or a space."""

    kind: Literal["added", "removed", "changed"]
    heading: list[str]
    lines: list[str]


class DocumentChangesResponse(SuccessResponse):
    changes: list[SectionChangeSchema]


class ApprovedResponse(SuccessResponse):
    """Of how many documents a change went live."""

    approved: int


def to_source_schema(source: Source, counts: DocumentCounts) -> KnowledgeSourceSchema:
    options, sync = source.options, source.sync
    error = sync.error
    return KnowledgeSourceSchema(
        id=source.id,
        kind=source.kind,
        name=options.name,
        url=options.url,
        max_depth=options.max_depth,
        max_pages=options.max_pages,
        enabled=options.enabled,
        schedule=options.schedule,
        review=options.review,
        question_column=options.question_column,
        answer_column=options.answer_column,
        created_at=source.created_at,
        sync=SyncSchema(
            state=sync.state,
            done=counts.done,
            total=counts.total,
            started_at=sync.started_at,
            finished_at=sync.finished_at,
            next_at=sync.next_at,
            error=None if error is None else SyncErrorSchema(code=error.code, message=error.message),
        ),
        documents=DocumentCountsSchema(
            ready=counts.ready,
            failed=counts.failed,
            skipped=counts.skipped,
            pending=counts.pending,
            passages=counts.passages,
        ),
    )


def to_document_schema(document: SourceDocument) -> KnowledgeDocumentSchema:
    error = document.error
    return KnowledgeDocumentSchema(
        id=document.id,
        name=document.key,
        url=document.url,
        title=document.title,
        language=document.language,
        status=document.status,
        error=None if error is None else SyncErrorSchema(code=error.code, message=error.message),
        enabled=document.enabled,
        pending=document.has_change,
        version=document.version,
        passages=document.passages,
        size=document.size,
        fetched_at=document.fetched_at,
    )


def to_change_schema(change: SectionChange) -> SectionChangeSchema:
    return SectionChangeSchema(kind=change.kind, heading=list(change.heading), lines=list(change.lines))
