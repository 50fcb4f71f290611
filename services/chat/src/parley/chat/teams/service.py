"""Team use cases: list, create, replace, delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from parley.chat.accounts.access import require_permission
from parley.chat.accounts.ports import SiteLookup
from parley.chat.audit.model import AuditedEvent
from parley.chat.audit.service import AuditService
from parley.chat.conversations.ports import TeamMembers
from parley.chat.ids import NextId
from parley.chat.sites.errors import SiteNotFound
from parley.chat.teams.errors import MAX_TEAMS, TeamNotFound
from parley.chat.teams.model import Team, TeamDraft
from parley.chat.teams.ports import TeamsRepository
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.errors import ValidationFailed
from parley.common.events import new_event
from parley.common.events.team import TeamChanged
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class TeamsService:
    """Operators see the teams of their sites. A team is changed with the permission `can_manage` on all its sites."""

    teams: TeamsRepository
    sites: SiteLookup
    members: TeamMembers
    audit: AuditService
    next_id: NextId
    clock: Clock

    async def list_page(self, caller: OperatorCaller, site_id: int | None, after: int, limit: int) -> Sequence[Team]:
        """The teams of one site or of all the caller's, by id; `limit` + 1 if there are more.

        Raises SiteNotFound, Forbidden.
        """
        if site_id is not None:
            if not await self.sites.filter_existing(caller.tenant_id, [site_id]):
                raise SiteNotFound
            require_permission(caller, caller.tenant_id, site_id)
            return await self.teams.list_page(caller.tenant_id, [site_id], after, limit + 1)
        site_ids = None if caller.owner else sorted(caller.sites)
        return await self.teams.list_page(caller.tenant_id, site_ids, after, limit + 1)

    async def create(self, caller: OperatorCaller, draft: TeamDraft) -> Team:
        """Raises SiteNotFound, Forbidden, ValidationFailed, TeamNameTaken, TooManyTeams."""
        await self._require_sites(caller, draft.site_ids)
        await self._require_members(caller.tenant_id, draft, ())
        now = self.clock()
        team = Team(
            id=await self.next_id(),
            tenant_id=caller.tenant_id,
            name=draft.name,
            site_ids=draft.site_ids,
            operator_ids=draft.operator_ids,
            created_at=now,
            updated_at=now,
        )
        await self.teams.add(team, await self._changed_event(caller, team, "team.created"), MAX_TEAMS)
        return team

    async def replace(self, caller: OperatorCaller, team_id: int, draft: TeamDraft) -> Team:
        """Raises TeamNotFound, SiteNotFound, Forbidden, ValidationFailed, TeamNameTaken, EditConflict."""
        before = await self._get(caller, team_id)
        await self._require_sites(caller, draft.site_ids)
        await self._require_members(caller.tenant_id, draft, before.operator_ids)
        after = replace(
            before,
            name=draft.name,
            site_ids=draft.site_ids,
            operator_ids=draft.operator_ids,
            updated_at=self.clock(),
            version=before.version + 1,
        )
        await self.teams.save(before, after, await self._changed_event(caller, after, "team.updated"))
        return after

    async def delete(self, caller: OperatorCaller, team_id: int) -> None:
        """Delete a team; its conversations then wait for anyone. Raises TeamNotFound, Forbidden, EditConflict."""
        before = await self._get(caller, team_id)
        after = replace(before, deleted=True, updated_at=self.clock(), version=before.version + 1)
        await self.teams.save(before, after, await self._changed_event(caller, after, "team.deleted"))

    async def _get(self, caller: OperatorCaller, team_id: int) -> Team:
        """A team that the caller may change. Raises TeamNotFound, Forbidden."""
        team = await self.teams.find(caller.tenant_id, team_id)
        if team is None:
            raise TeamNotFound
        # A site that was deleted since has no managers.
        existing = await self.sites.filter_existing(caller.tenant_id, team.site_ids)
        if not caller.owner and not existing:
            require_permission(caller, caller.tenant_id, team.site_ids[0], Permission.MANAGE)
        for site_id in existing:
            require_permission(caller, caller.tenant_id, site_id, Permission.MANAGE)
        return team

    async def _require_sites(self, caller: OperatorCaller, site_ids: Sequence[int]) -> None:
        existing = await self.sites.filter_existing(caller.tenant_id, site_ids)
        if len(existing) < len(site_ids):
            raise SiteNotFound
        for site_id in site_ids:
            require_permission(caller, caller.tenant_id, site_id, Permission.MANAGE)

    async def _require_members(self, tenant_id: int, draft: TeamDraft, before: Sequence[int]) -> None:
        """Check the new members: those who were on the team before may have lost access since, and stay."""
        added = set(draft.operator_ids) - set(before)
        if not added:
            return
        known = {member.id for site_id in draft.site_ids for member in await self.members.on_site(tenant_id, site_id)}
        if added - known:
            raise ValidationFailed({"operator_ids": "names someone who is on none of the team's sites"})

    async def _changed_event(self, caller: OperatorCaller, team: Team, action: str) -> AuditedEvent:
        details = {"name": team.name, "sites": team.site_ids, "operators": team.operator_ids}
        entry = await self.audit.entry(caller, action, f"team:{team.id}", None, details)
        data = TeamChanged(team_id=team.id, site_ids=team.site_ids, deleted=team.deleted)
        event = new_event(data, tenant_id=team.tenant_id, site_id=0, actor=entry.event_actor, at=entry.at)
        return AuditedEvent(event, entry)
