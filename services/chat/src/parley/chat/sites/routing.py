"""How a site's waiting conversations are given to operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

RoutingMode = Literal["manual", "round_robin", "least_busy"]

DEFAULT_CAPACITY = 5


@dataclass(frozen=True, slots=True)
class Fallback:
    """Who may get a conversation that has waited for `after`, besides those before: a team, or (None) anyone."""

    team_id: int | None
    after: timedelta


@dataclass(frozen=True, slots=True)
class SiteRouting:
    """A site's routing. With `manual`, operators take conversations from the queue themselves."""

    mode: RoutingMode = "manual"
    capacity: int = DEFAULT_CAPACITY
    """Open conversations of an operator without a capacity of their own, above which they are assigned no more."""
    team_id: int | None = None
    """The team that gets conversations first, unless they were transferred to another; None for anyone."""
    fallbacks: tuple[Fallback, ...] = ()
    """In the order of their time."""

    @property
    def automatic(self) -> bool:
        return self.mode != "manual"
