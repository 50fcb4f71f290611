"""What a site has chosen that pushes depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """`private`: pushes say that there is something new, and no more. `rings`: a visitor who waits calls everybody."""

    private: bool = False
    rings: bool = True


class Sites(Protocol):
    """Sites, as chat knows them."""

    async def of(self, site_id: int) -> SiteChoice:
        """Raises Unavailable."""
