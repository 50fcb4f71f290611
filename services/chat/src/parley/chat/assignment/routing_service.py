"""Changes how a site's waiting conversations are given to operators."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.sites.routing import SiteRouting
from parley.chat.sites.service import SiteService
from parley.chat.teams.ports import TeamLookup
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import ValidationFailed


@dataclass(frozen=True, slots=True)
class RoutingService:
    sites: SiteService
    teams: TeamLookup

    async def replace(self, caller: OperatorCaller, site_id: int, routing: SiteRouting) -> SiteRouting:
        """Raises SiteNotFound, Forbidden, ValidationFailed for a team of other sites, EditConflict."""
        await self.sites.get(caller, site_id)
        known = {team.id for team in await self.teams.list_on_site(caller.tenant_id, site_id)}
        if routing.team_id is not None and routing.team_id not in known:
            raise ValidationFailed({"team_id": "is not a team of this site"})
        for index, fallback in enumerate(routing.fallbacks):
            if fallback.team_id is not None and fallback.team_id not in known:
                raise ValidationFailed({f"fallbacks.{index}.team_id": "is not a team of this site"})
        return (await self.sites.update_routing(caller, site_id, routing)).routing
