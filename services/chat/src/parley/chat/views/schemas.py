"""Request bodies and responses of the endpoints of saved views."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from parley.chat.audiences import Scope
from parley.chat.common_fields import Language, Name
from parley.chat.conversations.queries import ConversationFilter
from parley.chat.conversations.schemas import SearchText, check_statuses
from parley.chat.timeouts import MAX_WAITING_SECONDS
from parley.chat.views.model import View, ViewCount, ViewDraft, ViewFilter
from parley.common.errors import ValidationFailed
from parley.common.events.schemas import Timestamp
from parley.common.http import Id, RequestBody, SuccessResponse


def _check_status(value: str) -> str:
    return value if value == "closed" else check_statuses(value)


ViewStatus = Annotated[str, StringConstraints(max_length=40), AfterValidator(_check_status)]


class ViewFilterBody(RequestBody):
    """The query parameters of the lists. `closed` conversations are those of a site's archive."""

    status: ViewStatus = Field(
        "pending,active",
        json_schema_extra={"pattern": "^((pending|active|ai)(,(pending|active|ai))*|snoozed|closed)$"},
    )
    site_id: Id | None = None
    label_id: Id | None = None
    team_id: Id | None = None
    operator_id: Id | None = None
    language: Language | None = None
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    waiting: Annotated[int, Field(ge=0, le=MAX_WAITING_SECONDS)] | None = None
    search: SearchText | None = None

    def to_filter(self) -> ViewFilter:
        """Raises ValidationFailed for closed conversations without a site, or that still wait."""
        if self.status == "closed" and self.site_id is None:
            raise ValidationFailed({"filter.site_id": "is required with the status closed"})
        if self.status == "closed" and self.waiting is not None:
            raise ValidationFailed({"filter.waiting": "does not apply to the status closed"})
        fields = ConversationFilter(
            label_id=self.label_id,
            team_id=self.team_id,
            operator_id=self.operator_id,
            language=self.language,
            rating=self.rating,
            search=self.search,
            min_waiting=None if self.waiting is None else timedelta(seconds=self.waiting),
        )
        return ViewFilter(self.status, self.site_id, fields)


class ViewBody(RequestBody):
    """`site_id` is required with the scope `site`, and ignored otherwise."""

    name: Name
    filter: ViewFilterBody
    scope: Scope = "mine"
    site_id: Id | None = None

    def to_draft(self) -> ViewDraft:
        """Raises ValidationFailed without the site of a site's view."""
        if self.scope == "site" and self.site_id is None:
            raise ValidationFailed({"site_id": "is required with the scope site"})
        return ViewDraft(self.scope, self.site_id if self.scope == "site" else None, self.name, self.filter.to_filter())


class ViewFilterSchema(BaseModel):
    """The query parameters of the lists; null: not filtered by this."""

    status: str
    site_id: int | None
    label_id: int | None
    team_id: int | None
    operator_id: int | None
    language: str | None
    rating: int | None
    waiting: int | None
    search: str | None


class ViewSchema(BaseModel):
    id: int
    name: str
    scope: Scope
    site_id: int | None
    operator_id: int
    filter: ViewFilterSchema
    created_at: Timestamp
    updated_at: Timestamp


class ViewCountSchema(BaseModel):
    """How many conversations a view shows; `capped`: there are more."""

    id: int
    count: int
    capped: bool


class ViewResponse(SuccessResponse):
    view: ViewSchema


class ViewsResponse(SuccessResponse):
    views: list[ViewSchema]
    next_cursor: str | None


class ViewCountsResponse(SuccessResponse):
    counts: list[ViewCountSchema]


def to_schema(view: View) -> ViewSchema:
    fields = view.filter.fields
    return ViewSchema(
        id=view.id,
        name=view.name,
        scope=view.scope,
        site_id=view.site_id,
        operator_id=view.operator_id,
        filter=ViewFilterSchema(
            status=view.filter.status,
            site_id=view.filter.site_id,
            label_id=fields.label_id,
            team_id=fields.team_id,
            operator_id=fields.operator_id,
            language=fields.language,
            rating=fields.rating,
            waiting=None if fields.min_waiting is None else int(fields.min_waiting.total_seconds()),
            search=fields.search,
        ),
        created_at=view.created_at,
        updated_at=view.updated_at,
    )


def to_count(count: ViewCount) -> ViewCountSchema:
    return ViewCountSchema(id=count.view_id, count=count.count, capped=count.capped)
