"""Saved views as they are: frozen values, without storage or transport."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from parley.chat.audiences import Scope, audience
from parley.chat.conversations.queries import ConversationFilter

MAX_COUNT = 100
"""Conversations of a view are counted up to this number."""


@dataclass(frozen=True, slots=True)
class ViewFilter:
    """Which conversations a view shows, in the terms of the lists' query parameters."""

    status: str
    """`closed`: those of a site's archive. `snoozed`, or modes separated by commas: those of the queue."""
    site_id: int | None
    """None: those of all sites that the operator may view."""
    fields: ConversationFilter

    @property
    def closed(self) -> bool:
        return self.status == "closed"


@dataclass(frozen=True, slots=True)
class View:
    """A view. `site_id` is set for the scope `site` only; `operator_id` is who made it."""

    id: int
    tenant_id: int
    operator_id: int
    scope: Scope
    site_id: int | None
    name: str
    filter: ViewFilter
    created_at: datetime
    updated_at: datetime

    @property
    def audience(self) -> str:
        """Who may use the view. A name is unique within an audience."""
        return audience(self.scope, self.operator_id, self.site_id)


@dataclass(frozen=True, slots=True)
class ViewDraft:
    """What an operator writes of a view."""

    scope: Scope
    site_id: int | None
    name: str
    filter: ViewFilter


@dataclass(frozen=True, slots=True)
class ViewCount:
    """How many conversations a view shows; `capped`: that many or more."""

    view_id: int
    count: int
    capped: bool
