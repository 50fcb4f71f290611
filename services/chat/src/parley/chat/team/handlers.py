"""HTTP handlers of the team: its members, their invitations, and their permissions on a site."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.common_fields import PermissionsBody
from parley.chat.invitations.schemas import InvitationResponse, serialize_invitation
from parley.chat.paging.schemas import PageQuery, decode_id
from parley.chat.schemas import OkResponse
from parley.chat.team.schemas import (
    CreatedMemberResponse,
    CreateMemberBody,
    MemberResponse,
    TeamResponse,
    UpdateMemberBody,
    serialize_member,
    serialize_page,
)
from parley.chat.team.service import TeamService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class TeamHandlers:
    team: TeamService

    async def list_page(self, context: RequestContext[OperatorCaller, None, PageQuery]) -> TeamResponse:
        return await self._list_page(context, None)

    async def list_on_site(self, context: RequestContext[OperatorCaller, None, PageQuery]) -> TeamResponse:
        return await self._list_page(context, context.path["site_id"])

    async def _list_page(
        self, context: RequestContext[OperatorCaller, None, PageQuery], site_id: int | None
    ) -> TeamResponse:
        query = context.query
        operators = await self.team.list_page(context.caller, site_id, decode_id(query.cursor), query.limit)
        return serialize_page(context.caller, operators, query.limit)

    async def create(self, context: RequestContext[OperatorCaller, CreateMemberBody, None]) -> CreatedMemberResponse:
        operator, invitation = await self.team.create(context.caller, context.body.to_draft())
        return CreatedMemberResponse(
            member=serialize_member(context.caller, operator),
            invitation=None if invitation is None else serialize_invitation(invitation),
        )

    async def show(self, context: RequestContext[OperatorCaller, None, None]) -> MemberResponse:
        operator = await self.team.get(context.caller, context.path["id"])
        return MemberResponse(member=serialize_member(context.caller, operator))

    async def update(self, context: RequestContext[OperatorCaller, UpdateMemberBody, None]) -> MemberResponse:
        operator = await self.team.update(context.caller, context.path["id"], context.body.to_change())
        return MemberResponse(member=serialize_member(context.caller, operator))

    async def remove(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.team.remove(context.caller, context.path["id"])
        return OkResponse()

    async def renew_invitation(self, context: RequestContext[OperatorCaller, None, None]) -> InvitationResponse:
        invitation = await self.team.renew_invitation(context.caller, context.path["id"])
        return InvitationResponse(invitation=serialize_invitation(invitation))

    async def grant_site_access(self, context: RequestContext[OperatorCaller, PermissionsBody, None]) -> MemberResponse:
        path = context.path
        body = context.body
        operator = await self.team.grant_site_access(
            context.caller, path["site_id"], path["operator_id"], body.permissions if body.names_any else None
        )
        return MemberResponse(member=serialize_member(context.caller, operator))

    async def revoke_site_access(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.team.revoke_site_access(context.caller, context.path["site_id"], context.path["operator_id"])
        return OkResponse()
