"""Request bodies and responses of the team endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from parley.chat.common_fields import Name
from parley.chat.paging.schemas import PageQuery
from parley.chat.teams.model import Team, TeamDraft
from parley.common.events.schemas import Timestamp
from parley.common.http import Id, RequestBody, SuccessResponse


class TeamBody(RequestBody):
    name: Name
    site_ids: Annotated[list[Id], Field(min_length=1, max_length=500)] = Field(
        description="Sites whose conversations the team may get."
    )
    operator_ids: Annotated[list[Id], Field(max_length=500)] = Field(
        default_factory=list, description="Members; each has to be on one of the sites."
    )

    def to_draft(self) -> TeamDraft:
        return TeamDraft(self.name, tuple(sorted(set(self.site_ids))), tuple(sorted(set(self.operator_ids))))


class TeamsQuery(PageQuery):
    """`site_id` leaves out the teams of other sites."""

    site_id: Id | None = None


class TeamSchema(BaseModel):
    id: int
    name: str
    site_ids: list[int]
    operator_ids: list[int]
    created_at: Timestamp
    updated_at: Timestamp


class TeamResponse(SuccessResponse):
    team: TeamSchema


class TeamsResponse(SuccessResponse):
    teams: list[TeamSchema]
    next_cursor: str | None


def to_schema(team: Team) -> TeamSchema:
    return TeamSchema(
        id=team.id,
        name=team.name,
        site_ids=list(team.site_ids),
        operator_ids=list(team.operator_ids),
        created_at=team.created_at,
        updated_at=team.updated_at,
    )
