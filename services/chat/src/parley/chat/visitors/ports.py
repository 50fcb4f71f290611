"""What visitor use cases need from storage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from parley.chat.paging.model import ListPage, Position
from parley.chat.visitors.model import Visitor


class VisitorRepository(Protocol):
    async def find(self, tenant_id: int, site_id: int, session: str) -> Visitor | None: ...

    async def get_or_create(self, tenant_id: int, site_id: int, session: str, language: str | None) -> Visitor:
        """The visitor; a new one if there is none. Sets `language` if it is given. Raises VisitorBeingErased.

        A new one expires unless something else is stored about them; see `remove_silent`.
        """

    async def get_or_create_person(self, tenant_id: int, site_id: int, session: str, external_id: str) -> Visitor:
        """The person whom a site knows under an id; a new one gets `session`. Raises VisitorBeingErased."""

    async def remove_joined(self, visitor: Visitor) -> None:
        """Remove a visitor whose conversations were joined to a person's, unless they are blocked or have changed."""

    async def remove_silent(self, now: datetime) -> int:
        """Remove a batch of expired visitors who never wrote. Return how many had expired."""

    async def update(self, visitor: Visitor, fields: Mapping[str, Any]) -> Visitor:
        """Set fields of the document, `form` as a VisitorForm, and increment the version. Raises VisitorNotFound."""

    async def list_blocked(
        self, tenant_id: int, site_id: int, after: Position | None, limit: int
    ) -> ListPage[Visitor]: ...

    async def list_leads(
        self, tenant_id: int, site_id: int, after: Position | None, skip: int, limit: int
    ) -> ListPage[Visitor]:
        """Visitors with a `lead_at`, newest first; `total` is set."""
