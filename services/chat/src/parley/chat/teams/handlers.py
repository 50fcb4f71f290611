"""Endpoints of teams."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.paging.schemas import decode_id, encode_id
from parley.chat.schemas import OkResponse
from parley.chat.teams.schemas import TeamBody, TeamResponse, TeamsQuery, TeamsResponse, to_schema
from parley.chat.teams.service import TeamsService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class TeamsHandlers:
    teams: TeamsService

    async def list_page(self, context: RequestContext[OperatorCaller, None, TeamsQuery]) -> TeamsResponse:
        query = context.query
        teams = await self.teams.list_page(context.caller, query.site_id, decode_id(query.cursor), query.limit)
        return TeamsResponse(
            teams=[to_schema(team) for team in teams[: query.limit]],
            next_cursor=encode_id([team.id for team in teams], query.limit),
        )

    async def create(self, context: RequestContext[OperatorCaller, TeamBody, None]) -> TeamResponse:
        return TeamResponse(team=to_schema(await self.teams.create(context.caller, context.body.to_draft())))

    async def replace(self, context: RequestContext[OperatorCaller, TeamBody, None]) -> TeamResponse:
        team = await self.teams.replace(context.caller, context.path["id"], context.body.to_draft())
        return TeamResponse(team=to_schema(team))

    async def delete(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.teams.delete(context.caller, context.path["id"])
        return OkResponse()
