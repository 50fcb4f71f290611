"""Request bodies, queries and responses of the conversation endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from parley.chat.ai.usage import to_amount
from parley.chat.common_fields import Language, Moment
from parley.chat.conversations.model import MAX_LABELS, CandidateStatus, Conversation
from parley.chat.conversations.queries import (
    MODES_BY_STATUS,
    ArchiveFilter,
    ConversationDetails,
    ConversationFilter,
    ConversationUsage,
    QueueSelection,
    RatingStats,
    TransferCandidate,
    select_queue,
)
from parley.chat.paging.schemas import NumberedPageQuery, PageQuery, Pagination
from parley.chat.timeouts import MAX_WAITING_SECONDS
from parley.common.events.messages import NoteSchema, ViewerState
from parley.common.events.schemas import (
    ConversationSchema,
    MessageSchema,
    OperatorRef,
    Schema,
    TeamRef,
    Timestamp,
)
from parley.common.http import Id, PageSize, Query, RequestBody, SuccessResponse

NoteContent = Annotated[str, StringConstraints(min_length=1, max_length=8000, pattern=r"\S")]


def check_statuses(value: str) -> str:
    if value == "snoozed":
        return value
    unknown = [part for part in value.split(",") if part not in ("pending", "active", "ai")]
    if unknown:
        raise ValueError("must be pending, active or ai, several separated by commas, or snoozed alone")
    return value


SearchText = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
Statuses = Annotated[str, StringConstraints(max_length=40), AfterValidator(check_statuses)]


class TransferBody(RequestBody):
    """To an operator, or into the queue of a team: one of the two."""

    operator_id: Id | None = None
    team_id: Id | None = None

    @model_validator(mode="after")
    def _require_one(self) -> TransferBody:
        if (self.operator_id is None) == (self.team_id is None):
            raise ValueError("name either operator_id or team_id")
        return self


class ConversationRef(RequestBody):
    conversation_id: Id


class NoteBody(ConversationRef):
    content: NoteContent
    mentions: Annotated[tuple[Id, ...], Field(max_length=20, strict=False)] = ()
    """Ids of operators whom the note calls. They may see the conversation."""


class ViewingBody(RequestBody):
    """Repeat it every ten seconds: the other operators' panels forget it after `expires_in` of the event."""

    state: ViewerState = "viewing"


class ReadBody(RequestBody):
    seq: Id


class LabelsBody(RequestBody):
    labels: Annotated[list[Id], Field(max_length=MAX_LABELS)] = Field(
        description="Ids of labels of the conversation's site or of the team."
    )


class SnoozeBody(RequestBody):
    until: Moment = Field(strict=False, description="In the future, within a year.")


class MessageWindowQuery(Query):
    before_seq: Id | None = None
    limit: PageSize = 50


class FilterQuery(PageQuery):
    """By what lists of conversations are filtered."""

    label_id: Id | None = Field(None, description="A label that the conversation has.")
    team_id: Id | None = Field(None, description="The team that the conversation is assigned to.")
    language: Language | None = Field(None, description="The visitor's language; `pt` includes `pt-BR`.")
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    search: SearchText | None = Field(
        None,
        description="Beginnings of words of the visitor's details, or words of one message: it is found within two "
        "seconds, if it is one of the newest 2000 with these words.",
    )

    @property
    def fields(self) -> ConversationFilter:
        return ConversationFilter(
            label_id=self.label_id,
            team_id=self.team_id,
            language=self.language,
            rating=self.rating,
            search=self.search,
        )


class QueueQuery(FilterQuery):
    status: Statuses = Field(
        "pending,active",
        description="Of open conversations without those that are snoozed; or only these.",
        json_schema_extra={"pattern": "^((pending|active|ai)(,(pending|active|ai))*|snoozed)$"},
    )
    operator_id: Id | None = Field(None, description="The operator who has the conversation.")
    waiting: Annotated[int, Field(ge=0, le=MAX_WAITING_SECONDS)] | None = Field(
        None, description="Seconds that the visitor has waited at least."
    )

    @property
    def selection(self) -> QueueSelection:
        waiting = None if self.waiting is None else timedelta(seconds=self.waiting)
        fields = replace(self.fields, operator_id=self.operator_id, min_waiting=waiting)
        return select_queue(self.status, fields)


class SiteQueueQuery(QueueQuery):
    site_id: Id


class TransferCandidatesQuery(Query):
    site_id: Id


class ArchiveQuery(NumberedPageQuery, FilterQuery):
    status: Annotated[str, StringConstraints(pattern=r"^(pending|active|ai|closed)$")] | None = None
    since: Moment | None = None
    until: Moment | None = None
    operator_id: Id | None = Field(None, description="An operator who has or had the conversation.")

    @property
    def filter(self) -> ArchiveFilter:
        return ArchiveFilter(
            modes=[MODES_BY_STATUS[self.status]] if self.status else [],
            fields=self.fields,
            since=self.since,
            until=self.until,
            operator_id=self.operator_id,
        )


class RatingStatsQuery(Query):
    since: Moment | None = None


class ConversationResponse(SuccessResponse):
    conversation: ConversationSchema


class MentionSchema(Schema):
    """A note that calls the caller, who has not read it."""

    site_id: int
    conversation_id: int
    note: NoteSchema


class MentionsResponse(SuccessResponse):
    mentions: list[MentionSchema]


class NoteResponse(SuccessResponse):
    note: NoteSchema


class QueueResponse(SuccessResponse):
    chats: list[ConversationSchema]
    next_cursor: str | None = None


class AllQueuesResponse(QueueResponse):
    current_user_id: int


class SiteCountsSchema(Schema):
    pending: int = 0
    active: int = 0


class CountsResponse(SuccessResponse):
    pending: int
    active: int
    sites: dict[str, SiteCountsSchema]


class TransferCandidateSchema(Schema):
    """An operator to whom a conversation can be transferred."""

    id: int
    name: str
    online: bool
    active_chats: int
    notifiable: bool | None = Field(
        None, description="Whether they have a device that gets push notifications; null: not known."
    )


class TransferCandidatesResponse(SuccessResponse):
    operators: list[TransferCandidateSchema]


class AssignmentCandidateSchema(Schema):
    """An operator who was considered for an assignment."""

    operator: OperatorRef
    status: CandidateStatus = Field(
        description="`full`: at their capacity; `away`: offline; `missed`: has just let this conversation time out."
    )


class HistoryEntrySchema(Schema):
    """What happened to a conversation, and who did it."""

    at: Timestamp
    action: str
    by: OperatorRef | None = None
    to: OperatorRef | None = None
    reason: str | None = Field(None, description="Of the action `assigned`: how the operator was chosen.")
    team: TeamRef | None = Field(None, description="Of the action `transferred_to_team`.")
    candidates: list[AssignmentCandidateSchema] = Field(
        default_factory=list, description="Of the action `assigned`: who was considered."
    )


class TranslationStateSchema(Schema):
    """How a conversation is translated."""

    enabled: bool
    lang: str | None = None
    operator_lang: str | None = None
    supported: bool = False


class ReadMarkSchema(Schema):
    """The highest seq that an operator has read."""

    operator: OperatorRef
    seq: int


class ConversationUsageSchema(Schema):
    """What the AI was used for in a conversation. `cost` is null if a price was not known."""

    input_tokens: int
    output_tokens: int
    embedding_tokens: int
    cost: float | None
    currency: str


class ConversationDetailSchema(ConversationSchema):
    """A conversation with all that an operator needs to answer in it."""

    messages: list[MessageSchema]
    notes: list[NoteSchema]
    translation: TranslationStateSchema
    history: list[HistoryEntrySchema]
    reads: list[ReadMarkSchema]
    previous: list[ConversationSchema]
    ai_usage: ConversationUsageSchema | None
    """None if no engine with costs has replied, if that is not known, and for those who may not see reports."""


class ConversationDetailResponse(SuccessResponse):
    conversation: ConversationDetailSchema


class ArchiveResponse(SuccessResponse):
    conversations: list[ConversationSchema]
    next_cursor: str | None = None
    pagination: Pagination


class RatingSchema(Schema):
    """A visitor's rating of a conversation."""

    conversation_id: int
    score: int
    comment: str | None = None
    operator: OperatorRef | None = None
    rated_at: Timestamp


class RatingsResponse(SuccessResponse):
    ratings: list[RatingSchema]
    next_cursor: str | None = None


class RatingStatsResponse(SuccessResponse):
    count: int
    average: float | None
    by_score: dict[str, int]


def to_rows(conversations: Sequence[Conversation]) -> list[ConversationSchema]:
    return [conversation.to_schema() for conversation in conversations]


def to_transfer_candidate(candidate: TransferCandidate) -> TransferCandidateSchema:
    return TransferCandidateSchema(
        id=candidate.id,
        name=candidate.name,
        online=candidate.online,
        active_chats=candidate.active_chats,
        notifiable=candidate.notifiable,
    )


def to_rating(conversation: Conversation) -> RatingSchema:
    return RatingSchema(
        conversation_id=conversation.id,
        score=conversation.rating or 0,
        comment=conversation.rating_comment,
        operator=conversation.last_assigned_operator(),
        rated_at=conversation.rated_at or conversation.updated_at,
    )


def to_rating_stats(stats: RatingStats) -> RatingStatsResponse:
    by_score = {str(score): times for score, times in stats.by_score.items()}
    return RatingStatsResponse(count=stats.count, average=stats.average, by_score=by_score)


def to_detail(details: ConversationDetails) -> ConversationDetailSchema:
    conversation = details.conversation
    translation = conversation.translation
    return ConversationDetailSchema(
        **dict(conversation.to_schema()),
        messages=[message.to_schema() for message in details.messages],
        notes=[note.to_schema() for note in details.notes],
        translation=TranslationStateSchema(
            enabled=translation.enabled,
            lang=translation.lang,
            operator_lang=translation.operator_lang,
            supported=translation.supported,
        ),
        history=[
            HistoryEntrySchema(
                at=entry.at,
                action=entry.action,
                by=entry.by,
                to=entry.to,
                reason=entry.reason,
                team=entry.team,
                candidates=[
                    AssignmentCandidateSchema(operator=one.operator, status=one.status) for one in entry.candidates
                ],
            )
            for entry in conversation.history
        ],
        reads=[ReadMarkSchema(operator=person, seq=seq) for person, seq in conversation.reads],
        previous=to_rows(details.previous),
        ai_usage=details.usage and _to_usage(details.usage),
    )


def _to_usage(usage: ConversationUsage) -> ConversationUsageSchema:
    tokens = usage.tokens
    cost = to_amount(usage.cost) if usage.cost is not None and usage.currency else None
    return ConversationUsageSchema(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        embedding_tokens=tokens.embedding,
        cost=cost,
        currency=usage.currency,
    )
