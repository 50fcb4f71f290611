"""The routes of teams."""

from __future__ import annotations

from typing import Any

from parley.chat.schemas import OkResponse
from parley.chat.teams.handlers import TeamsHandlers
from parley.chat.teams.schemas import TeamBody, TeamResponse, TeamsQuery, TeamsResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_TEAMS = "/api/v1/teams"
_TEAM = f"{_TEAMS}/{{id}}"
_EXAMPLE = {"name": "Billing", "site_ids": [1], "operator_ids": [7]}
_WRITE: Any = {"required_permission": Permission.MANAGE, "rate_limit": RateLimitClass.WRITE}


def routes(handlers: TeamsHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _TEAMS,
            handlers.list_page,
            CallerType.OPERATOR,
            TeamsResponse,
            "The teams of your sites",
            query=TeamsQuery,
        ),
        Route(
            "POST",
            _TEAMS,
            handlers.create,
            CallerType.OPERATOR,
            TeamResponse,
            "Create a team",
            body=TeamBody,
            status=201,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route(
            "PUT",
            _TEAM,
            handlers.replace,
            CallerType.OPERATOR,
            TeamResponse,
            "Replace a team's name, sites and members",
            body=TeamBody,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route(
            "DELETE",
            _TEAM,
            handlers.delete,
            CallerType.OPERATOR,
            OkResponse,
            "Delete a team; its conversations then wait for anyone",
            **_WRITE,
        ),
    ]
