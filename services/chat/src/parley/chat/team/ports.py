"""What the team needs from storage, in addition to the operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from parley.chat.accounts.model import Operator


class TeamRepository(Protocol):
    """Lists of operators, without those who were removed."""

    async def list_page(self, tenant_id: int, site_ids: Sequence[int] | None, after: int, limit: int) -> list[Operator]:
        """List operators with an id above `after`, by id: all, or the owners and the members of some sites."""

    async def list_on_site(self, tenant_id: int, site_id: int) -> list[Operator]:
        """List the owners and the members of one site."""
