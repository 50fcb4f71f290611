"""The team as the rest of chat and the other services look it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from parley.chat.accounts.errors import OperatorNotFound
from parley.chat.accounts.model import ALL_PERMISSIONS, permissions_on
from parley.chat.accounts.ports import OperatorRepository, SiteLookup
from parley.chat.conversations.ports import TeamMember
from parley.chat.team.ports import TeamRepository
from parley.chat.teams.ports import TeamLookup


@dataclass(frozen=True, slots=True)
class TeamDirectory:
    """Implements the port Team of conversations, and the RPC method `site_operators`."""

    team: TeamRepository
    operators: OperatorRepository
    sites: SiteLookup
    teams: TeamLookup

    async def member(self, tenant_id: int, operator_id: int) -> TeamMember | None:
        """Return a member of the tenant's team, or None."""
        try:
            operator = await self.operators.get(tenant_id, operator_id)
        except OperatorNotFound:
            return None
        access = operator.access
        if operator.owner:
            access = dict.fromkeys(await self.sites.list_ids(tenant_id), ALL_PERMISSIONS)
        return TeamMember(operator.id, tenant_id, operator.name, access, operator.active, operator.capacity)

    async def on_site(self, tenant_id: int, site_id: int) -> Sequence[TeamMember]:
        """List the active members of a site, including owners, each with their permissions on this site only."""
        operators = await self.team.list_on_site(tenant_id, site_id)
        return [
            TeamMember(
                operator.id,
                tenant_id,
                operator.name,
                {site_id: permissions_on(operator, site_id)},
                operator.active,
                operator.capacity,
            )
            for operator in operators
            if operator.active
        ]

    async def rpc_site_operators(self, tenant_id: int, site_id: int) -> dict[str, Any]:
        """Return the result of the RPC method `site_operators`: the active members of a site."""
        operators = await self.team.list_on_site(tenant_id, site_id)
        teams = await self.teams.list_on_site(tenant_id, site_id)
        return {
            "operators": [
                {
                    "operator_id": operator.id,
                    "language": operator.language,
                    "permissions": sorted(permissions_on(operator, site_id)),
                    "team_ids": [team.id for team in teams if operator.id in team.operator_ids],
                }
                for operator in operators
                if operator.active
            ]
        }
