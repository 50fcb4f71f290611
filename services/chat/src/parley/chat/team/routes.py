"""Routes of the team: members of the tenant, and members of one site."""

from __future__ import annotations

from parley.chat.common_fields import PermissionsBody
from parley.chat.invitations.schemas import InvitationResponse
from parley.chat.paging.schemas import PageQuery
from parley.chat.schemas import OkResponse
from parley.chat.team.handlers import TeamHandlers
from parley.chat.team.schemas import (
    CreatedMemberResponse,
    CreateMemberBody,
    MemberResponse,
    TeamResponse,
    UpdateMemberBody,
)
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_TEAM = "/api/v1/team"
_MEMBER = f"{_TEAM}/{{id}}"
_SITE_TEAM = "/api/v1/sites/{site_id}/team"
_SITE_MEMBER = f"{_SITE_TEAM}/{{operator_id}}"


def routes(handlers: TeamHandlers) -> list[Route]:
    return [*_team_routes(handlers), *_site_team_routes(handlers)]


def _team_routes(handlers: TeamHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _TEAM,
            handlers.list_page,
            CallerType.OPERATOR,
            TeamResponse,
            "List the members of your sites",
            required_permission=Permission.MANAGE,
            query=PageQuery,
        ),
        Route(
            "POST",
            _TEAM,
            handlers.create,
            CallerType.OPERATOR,
            CreatedMemberResponse,
            "Add a member to the team; without a password, the member is invited",
            body=CreateMemberBody,
            status=201,
            example={
                "email": "sam@example.com",
                "name": "Sam",
                "site_ids": [1],
                "permissions": {"can_chat": True, "can_view_conversations": True, "can_manage": False},
            },
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "GET",
            _MEMBER,
            handlers.show,
            CallerType.OPERATOR,
            MemberResponse,
            "Get a member of the team",
            required_permission=Permission.MANAGE,
        ),
        Route(
            "PUT",
            _MEMBER,
            handlers.update,
            CallerType.OPERATOR,
            MemberResponse,
            "Change a member of the team",
            body=UpdateMemberBody,
            example={"suspended": True},
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "DELETE",
            _MEMBER,
            handlers.remove,
            CallerType.OPERATOR,
            OkResponse,
            "Remove a member from the team",
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            f"{_MEMBER}/invitation",
            handlers.renew_invitation,
            CallerType.OPERATOR,
            InvitationResponse,
            "Replace the invitation of a member who has not accepted yet",
            status=201,
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
    ]


def _site_team_routes(handlers: TeamHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _SITE_TEAM,
            handlers.list_on_site,
            CallerType.OPERATOR,
            TeamResponse,
            "List the members of a site",
            required_permission=Permission.MANAGE,
            query=PageQuery,
        ),
        Route(
            "PUT",
            _SITE_MEMBER,
            handlers.grant_site_access,
            CallerType.OPERATOR,
            MemberResponse,
            "Add a member to a site, or replace their permissions there",
            body=PermissionsBody,
            example={"can_chat": True, "can_view_conversations": True, "can_manage": False},
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "DELETE",
            _SITE_MEMBER,
            handlers.revoke_site_access,
            CallerType.OPERATOR,
            OkResponse,
            "Remove a member from a site",
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
    ]
