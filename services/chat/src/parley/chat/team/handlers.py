"""The team: listed, added to, changed; who is on a site and what they may do there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from parley.chat.accounts.service import Operator
from parley.chat.common_fields import Email, Language, Name, NewPassword, PageQuery, Permissions, next_cursor, shown
from parley.chat.invitations.handlers import InvitationView
from parley.chat.invitations.service import Invited
from parley.chat.schemas import Done
from parley.chat.team.service import MemberChange, MemberDraft, Team
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.events.schemas import Timestamp
from parley.common.http import Answer, Call, Id, RequestBody

SiteIds = Annotated[list[Id], Field(max_length=500)]


class NewMemberBody(RequestBody):
    """Without a password, an invitation is made."""

    email: Email
    name: Name
    password: NewPassword | None = None
    site_ids: SiteIds = Field(default_factory=list)
    permissions: Permissions = Permissions(can_chat=True, can_view_conversations=True)
    owner: bool = False
    language: Language = "en"


class MemberBody(RequestBody):
    """What is left out stays as it is. `site_ids` are all the sites that the member is to be on."""

    name: Name | None = None
    suspended: bool | None = None
    owner: bool | None = None
    site_ids: SiteIds | None = None
    permissions: Permissions | None = Field(None, description="On every one of the member's sites.")


class MemberView(BaseModel):
    id: int
    email: str
    name: str
    language: str
    owner: bool
    status: Literal["active", "invited", "suspended"]
    sites: dict[str, list[Permission]] = Field(description="Permissions by site; an owner has all on every site.")
    created_at: Timestamp


class MemberAnswer(Answer):
    member: MemberView


class NewMemberAnswer(MemberAnswer):
    invitation: InvitationView | None


class TeamAnswer(Answer):
    team: list[MemberView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class TeamHandlers:
    team: Team

    async def page(self, call: Call[OperatorCaller, None, PageQuery]) -> TeamAnswer:
        found = await self.team.page(call.caller, None, call.query.after, call.query.limit)
        return _page(call.caller, found, call.query.limit)

    async def on_site(self, call: Call[OperatorCaller, None, PageQuery]) -> TeamAnswer:
        found = await self.team.page(call.caller, call.path["site_id"], call.query.after, call.query.limit)
        return _page(call.caller, found, call.query.limit)

    async def create(self, call: Call[OperatorCaller, NewMemberBody, None]) -> NewMemberAnswer:
        operator, invited = await self.team.create(call.caller, _draft(call.body))
        return NewMemberAnswer(member=_view(call.caller, operator), invitation=_invitation(invited))

    async def show(self, call: Call[OperatorCaller, None, None]) -> MemberAnswer:
        return MemberAnswer(member=_view(call.caller, await self.team.get(call.caller, call.path["id"])))

    async def update(self, call: Call[OperatorCaller, MemberBody, None]) -> MemberAnswer:
        operator = await self.team.update(call.caller, call.path["id"], _change(call.body))
        return MemberAnswer(member=_view(call.caller, operator))

    async def remove(self, call: Call[OperatorCaller, None, None]) -> Done:
        await self.team.remove(call.caller, call.path["id"])
        return Done()

    async def grant(self, call: Call[OperatorCaller, Permissions, None]) -> MemberAnswer:
        path = call.path
        operator = await self.team.grant(call.caller, path["site_id"], path["operator_id"], call.body.granted)
        return MemberAnswer(member=_view(call.caller, operator))

    async def take_off(self, call: Call[OperatorCaller, None, None]) -> Done:
        await self.team.take_off(call.caller, call.path["site_id"], call.path["operator_id"])
        return Done()


def _draft(body: NewMemberBody) -> MemberDraft:
    return MemberDraft(
        email=body.email,
        name=body.name,
        password=body.password,
        site_ids=frozenset(body.site_ids),
        permissions=body.permissions.granted,
        owner=body.owner,
        language=body.language,
    )


def _change(body: MemberBody) -> MemberChange:
    return MemberChange(
        name=body.name,
        suspended=body.suspended,
        owner=body.owner,
        site_ids=None if body.site_ids is None else frozenset(body.site_ids),
        permissions=None if body.permissions is None else body.permissions.granted,
    )


def _invitation(invited: Invited | None) -> InvitationView | None:
    return None if invited is None else InvitationView.model_validate(invited, from_attributes=True)


def _page(caller: OperatorCaller, found: list[Operator], limit: int) -> TeamAnswer:
    following = next_cursor([operator.id for operator in found], limit)
    return TeamAnswer(team=[_view(caller, operator) for operator in found[:limit]], next_cursor=following)


def _view(caller: OperatorCaller, operator: Operator) -> MemberView:
    managed = set(caller.needing(Permission.MANAGE).site_ids)
    seen = {site: granted for site, granted in operator.access.items() if caller.owner or site in managed}
    invited = operator.invitation is not None
    return MemberView(
        id=operator.id,
        email=operator.email or "",
        name=operator.name,
        language=operator.language,
        owner=operator.owner,
        status="suspended" if not operator.active else "invited" if invited else "active",
        sites=shown(seen),
        created_at=operator.created_at,
    )
