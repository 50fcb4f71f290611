"""What use cases of saved views need from storage, and from the lists of conversations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from parley.chat.conversations.queries import ArchiveFilter, QueueSelection
from parley.chat.views.model import View
from parley.common.auth.identity import OperatorCaller


class ViewRepository(Protocol):
    async def list_page(self, tenant_id: int, audiences: Collection[str], after: int, limit: int) -> list[View]:
        """Views of these audiences with ids above `after`, by id."""

    async def get(self, tenant_id: int, view_id: int) -> View:
        """Raises ViewNotFound."""

    async def add(self, view: View, limit: int) -> None:
        """Raises ViewNameTaken, and TooManyViews if the audience has `limit` of them."""

    async def replace(self, view: View, limit: int | None) -> None:
        """`limit`: of the audience, if the view changes to another one.

        Raises ViewNotFound, ViewNameTaken, TooManyViews.
        """

    async def delete(self, tenant_id: int, view_id: int) -> bool:
        """False if there is no such view."""

    async def list_audiences(self) -> list[tuple[int, str]]:
        """List the audiences that have views, each with its tenant's id."""

    async def delete_audience(self, tenant_id: int, audience: str) -> None: ...


class ConversationCounter(Protocol):
    async def count_queue(
        self, caller: OperatorCaller, site_id: int | None, selection: QueueSelection, limit: int
    ) -> int:
        """Open conversations that the caller may view, counted up to `limit`."""

    async def count_archive(self, caller: OperatorCaller, site_id: int, filter_: ArchiveFilter, limit: int) -> int:
        """Conversations of a site's archive, counted up to `limit`. Zero without access to the site."""
