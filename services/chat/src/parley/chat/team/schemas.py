"""Request and response bodies of the team."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from parley.chat.accounts.model import Operator, serialize_permissions
from parley.chat.common_fields import AccountEmail, Language, Name, NewPassword, PermissionsBody
from parley.chat.invitations.schemas import InvitationSchema
from parley.chat.paging.schemas import encode_id
from parley.chat.team import rules
from parley.chat.team.model import MemberChange, MemberDraft
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.events.schemas import Timestamp
from parley.common.http import Id, RequestBody, SuccessResponse

SiteIds = Annotated[list[Id], Field(max_length=500)]


class CreateMemberBody(RequestBody):
    """Without a password, the member is invited."""

    email: AccountEmail
    name: Name
    password: NewPassword | None = None
    site_ids: SiteIds = Field(default_factory=list)
    permissions: PermissionsBody = PermissionsBody(can_chat=True, can_view_conversations=True)
    owner: bool = False
    language: Language = "en"

    def to_draft(self) -> MemberDraft:
        return MemberDraft(
            email=self.email,
            name=self.name,
            password=self.password,
            site_ids=frozenset(self.site_ids),
            permissions=self.permissions.permissions,
            owner=self.owner,
            language=self.language,
        )


class UpdateMemberBody(RequestBody):
    """Fields that are absent stay unchanged. `site_ids` replaces the list of the member's sites."""

    name: Name | None = None
    suspended: bool | None = None
    owner: bool | None = None
    site_ids: SiteIds | None = None
    permissions: PermissionsBody | None = Field(None, description="On every site of the member.")
    capacity: Annotated[int, Field(ge=0, le=100)] | None = Field(
        None, description="Open conversations above which they are assigned no more; 0 is the default of the site."
    )

    def to_change(self) -> MemberChange:
        return MemberChange(
            name=self.name,
            suspended=self.suspended,
            owner=self.owner,
            site_ids=None if self.site_ids is None else frozenset(self.site_ids),
            permissions=None if self.permissions is None else self.permissions.permissions,
            capacity=self.capacity,
        )


class MemberSchema(BaseModel):
    id: int
    email: str
    name: str
    language: str
    owner: bool
    status: Literal["active", "invited", "suspended"]
    sites: dict[str, list[Permission]] = Field(
        description="Permissions by site. Empty for an owner, who has every permission on every site."
    )
    capacity: int | None = Field(description="Null is the default of the site.")
    created_at: Timestamp


class MemberResponse(SuccessResponse):
    member: MemberSchema


class CreatedMemberResponse(MemberResponse):
    invitation: InvitationSchema | None


class TeamResponse(SuccessResponse):
    team: list[MemberSchema]
    next_cursor: str | None


def serialize_page(caller: OperatorCaller, operators: list[Operator], limit: int) -> TeamResponse:
    """Build the response for a page that was read with one operator more than `limit`."""
    return TeamResponse(
        team=[serialize_member(caller, operator) for operator in operators[:limit]],
        next_cursor=encode_id([operator.id for operator in operators], limit),
    )


def serialize_member(caller: OperatorCaller, operator: Operator) -> MemberSchema:
    """Convert an operator; only permissions on sites that the caller manages are included."""
    managed = rules.managed_site_ids(caller)
    access = {site: granted for site, granted in operator.access.items() if caller.owner or site in managed}
    invited = operator.invitation is not None
    return MemberSchema(
        id=operator.id,
        email=operator.email or "",
        name=operator.name,
        language=operator.language,
        owner=operator.owner,
        status="suspended" if not operator.active else "invited" if invited else "active",
        sites=serialize_permissions(access),
        capacity=operator.capacity,
        created_at=operator.created_at,
    )
