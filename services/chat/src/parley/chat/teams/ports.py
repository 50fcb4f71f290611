"""What team use cases need from storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from parley.chat.audit.model import AuditedEvent
from parley.chat.teams.model import Team


class TeamLookup(Protocol):
    """Teams as routing looks them up; deleted ones do not count."""

    async def list_on_site(self, tenant_id: int, site_id: int) -> Sequence[Team]:
        """List the teams of a site."""

    async def find(self, tenant_id: int, team_id: int) -> Team | None: ...


class TeamsRepository(TeamLookup, Protocol):
    async def list_page(self, tenant_id: int, site_ids: Sequence[int] | None, after: int, limit: int) -> list[Team]:
        """List teams with an id above `after`, by id: all, or those of some sites."""

    async def add(self, team: Team, audited: AuditedEvent, limit: int) -> None:
        """Raises TeamNameTaken, and TooManyTeams if the tenant has `limit` of them."""

    async def save(self, before: Team, after: Team, audited: AuditedEvent) -> None:
        """Replace `before` by `after`. Raises TeamNameTaken, and EditConflict if another change came first."""
