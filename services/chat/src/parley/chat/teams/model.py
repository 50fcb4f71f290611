"""Teams, and what a manager writes of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Team:
    """A department: operators who answer the conversations of some sites. `version` grows with every change."""

    id: int
    tenant_id: int
    name: str
    site_ids: tuple[int, ...]
    operator_ids: tuple[int, ...]
    created_at: datetime
    updated_at: datetime
    deleted: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class TeamDraft:
    """What a manager writes of a team. Ids are in ascending order, each once."""

    name: str
    site_ids: tuple[int, ...]
    operator_ids: tuple[int, ...]
