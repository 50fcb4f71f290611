"""Use cases of saved views: list, add, replace and delete them, and count what they show."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from parley.chat.accounts.access import require_permission
from parley.chat.audiences import Audiences
from parley.chat.audit.service import AuditService
from parley.chat.conversations.queries import MODES_BY_STATUS, ArchiveFilter, select_queue
from parley.chat.ids import NextId
from parley.chat.views.errors import MAX_VIEWS, ViewNotFound
from parley.chat.views.model import MAX_COUNT, View, ViewCount, ViewDraft
from parley.chat.views.ports import ConversationCounter, ViewRepository
from parley.common.auth.identity import OperatorCaller
from parley.common.runtime.clock import Clock

_WHAT = "the views"
_MAX_COUNTED_VIEWS = 100
_CONCURRENT_COUNTS = 4


@dataclass(frozen=True, slots=True)
class ViewService:
    """Another tenant's and another operator's views are not found; those of a site require access to the site.

    Personal views are their maker's. Those of a site are changed with the permission `can_manage` there, those of
    the team by owners.
    """

    views: ViewRepository
    conversations: ConversationCounter
    audiences: Audiences
    audit: AuditService
    next_id: NextId
    clock: Clock

    async def list_page(self, caller: OperatorCaller, after: int, limit: int) -> Sequence[View]:
        """The views that the caller may use, by id; `limit` + 1 if there are more."""
        audiences = await self.audiences.list_readable(caller)
        return await self.views.list_page(caller.tenant_id, audiences, after, limit + 1)

    async def count(self, caller: OperatorCaller) -> Sequence[ViewCount]:
        """How many conversations each of the caller's first views shows, counted up to MAX_COUNT."""
        slots = asyncio.Semaphore(_CONCURRENT_COUNTS)

        async def count(view: View) -> ViewCount:
            async with slots:
                conversations = await self._count(caller, view)
            return ViewCount(view.id, min(conversations, MAX_COUNT), conversations > MAX_COUNT)

        views = await self.list_page(caller, 0, _MAX_COUNTED_VIEWS - 1)
        return await asyncio.gather(*map(count, views))

    async def add(self, caller: OperatorCaller, draft: ViewDraft) -> View:
        """Raises SiteNotFound, Forbidden, ViewNameTaken, TooManyViews."""
        await self._require_change(caller, draft)
        now = self.clock()
        view = View(
            id=await self.next_id(),
            tenant_id=caller.tenant_id,
            operator_id=caller.operator_id,
            scope=draft.scope,
            site_id=draft.site_id,
            name=draft.name,
            filter=draft.filter,
            created_at=now,
            updated_at=now,
        )
        await self.views.add(view, MAX_VIEWS)
        await self._record(caller, "view.created", view)
        return view

    async def replace(self, caller: OperatorCaller, view_id: int, draft: ViewDraft) -> View:
        """Raises ViewNotFound, SiteNotFound, Forbidden, ViewNameTaken, TooManyViews."""
        before = await self._get_to_change(caller, view_id)
        await self._require_change(caller, draft)
        after = replace(
            before,
            # A view of the team that becomes personal belongs to who made it so.
            operator_id=caller.operator_id if draft.scope == "mine" else before.operator_id,
            scope=draft.scope,
            site_id=draft.site_id,
            name=draft.name,
            filter=draft.filter,
            updated_at=self.clock(),
        )
        await self.views.replace(after, None if after.audience == before.audience else MAX_VIEWS)
        await self._record(caller, "view.updated", after)
        return after

    async def delete(self, caller: OperatorCaller, view_id: int) -> None:
        """Raises ViewNotFound, Forbidden."""
        view = await self._get_to_change(caller, view_id)
        if not await self.views.delete(caller.tenant_id, view_id):
            raise ViewNotFound
        await self._record(caller, "view.deleted", view)

    async def remove_orphaned(self) -> None:
        """Delete the views of sites that were deleted, and the personal ones of operators who were removed."""
        for tenant_id, name in await self.views.list_audiences():
            if not await self.audiences.exists(tenant_id, name):
                await self.views.delete_audience(tenant_id, name)

    async def _count(self, caller: OperatorCaller, view: View) -> int:
        filter_ = view.filter
        if not filter_.closed:
            selection = select_queue(filter_.status, filter_.fields)
            return await self.conversations.count_queue(caller, filter_.site_id, selection, MAX_COUNT + 1)
        if filter_.site_id is None:
            return 0
        fields, operator_id = replace(filter_.fields, operator_id=None), filter_.fields.operator_id
        archive = ArchiveFilter([MODES_BY_STATUS[filter_.status]], fields, operator_id=operator_id)
        return await self.conversations.count_archive(caller, filter_.site_id, archive, MAX_COUNT + 1)

    async def _get_to_change(self, caller: OperatorCaller, view_id: int) -> View:
        view = await self.views.get(caller.tenant_id, view_id)
        if view.scope == "mine" and view.operator_id != caller.operator_id:
            raise ViewNotFound
        if view.site_id is not None:
            require_permission(caller, view.tenant_id, view.site_id)
        await self.audiences.require_change(caller, view.scope, view.site_id, _WHAT)
        return view

    async def _require_change(self, caller: OperatorCaller, draft: ViewDraft) -> None:
        await self.audiences.require_change(caller, draft.scope, draft.site_id, _WHAT)
        if draft.filter.site_id is not None:
            await self.audiences.require_site(caller, draft.filter.site_id)

    async def _record(self, caller: OperatorCaller, action: str, view: View) -> None:
        """Personal views concern nobody else, so their changes are not audited."""
        if view.scope != "mine":
            details = {"name": view.name, "scope": view.scope}
            await self.audit.record(caller, action, f"view:{view.id}", view.site_id, details)
