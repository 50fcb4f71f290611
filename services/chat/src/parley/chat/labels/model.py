"""Labels as they are: frozen values, without storage or transport."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from parley.chat.audiences import audience

LabelScope = Literal["site", "all"]
"""`site`: for the conversations of one site; `all`: for those of every site of the team."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label. `site_id` is set for the scope `site` only."""

    id: int
    tenant_id: int
    scope: LabelScope
    site_id: int | None
    name: str
    colour: str
    """As `#rrggbb`."""
    created_at: datetime
    updated_at: datetime

    @property
    def audience(self) -> str:
        """Who may use the label. A name is unique within an audience."""
        return audience(self.scope, 0, self.site_id)


@dataclass(frozen=True, slots=True)
class LabelDraft:
    """What an operator writes of a label."""

    scope: LabelScope
    site_id: int | None
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class DeletedLabel:
    """A label that operators cannot use any more, and that conversations may still have."""

    id: int
    tenant_id: int
    deleted_at: datetime
