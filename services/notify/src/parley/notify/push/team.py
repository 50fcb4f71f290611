"""Who may be rung about a site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Member:
    """An operator who may chat on a site, and the language they read."""

    operator_id: int
    language: str


class Team(Protocol):
    """The operators of a site, as chat knows them."""

    async def of(self, site_id: int) -> dict[int, Member]:
        """Those who may chat there, by id. Raises Unavailable."""
