"""Label use cases: list, add, replace and delete labels, and look up those that a conversation may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from parley.chat.accounts.access import require_permission
from parley.chat.audiences import Audiences
from parley.chat.audit.service import AuditService
from parley.chat.ids import NextId
from parley.chat.labels.errors import MAX_LABELS, LabelNotFound
from parley.chat.labels.model import Label, LabelDraft
from parley.chat.labels.ports import LabelRepository
from parley.common.auth.identity import OperatorCaller
from parley.common.runtime.clock import Clock

_WHAT = "the labels"


@dataclass(frozen=True, slots=True)
class LabelService:
    """Another tenant's labels are not found; those of a site require access to the site.

    Labels of a site are changed with the permission `can_manage` there, those of the team by owners.
    """

    labels: LabelRepository
    audiences: Audiences
    audit: AuditService
    next_id: NextId
    clock: Clock

    async def list_page(self, caller: OperatorCaller, site_id: int | None, after: int, limit: int) -> Sequence[Label]:
        """The labels of a site, or of all that the caller may view, by id; `limit` + 1 if there are more.

        Raises SiteNotFound, Forbidden.
        """
        audiences = await self.audiences.list_readable(caller, site_id)
        return await self.labels.list_page(caller.tenant_id, audiences, after, limit + 1)

    async def add(self, caller: OperatorCaller, draft: LabelDraft) -> Label:
        """Raises SiteNotFound, Forbidden, LabelNameTaken, TooManyLabels."""
        await self.audiences.require_change(caller, draft.scope, draft.site_id, _WHAT)
        now = self.clock()
        label = Label(
            id=await self.next_id(),
            tenant_id=caller.tenant_id,
            scope=draft.scope,
            site_id=draft.site_id,
            name=draft.name,
            colour=draft.colour,
            created_at=now,
            updated_at=now,
        )
        await self.labels.add(label, MAX_LABELS)
        await self._record(caller, "label.created", label)
        return label

    async def replace(self, caller: OperatorCaller, label_id: int, name: str, colour: str) -> Label:
        """Change a label's name and colour; its scope stays, as conversations of other sites may have it.

        Raises LabelNotFound, Forbidden, LabelNameTaken.
        """
        before = await self._get_to_change(caller, label_id)
        after = replace(before, name=name, colour=colour, updated_at=self.clock())
        await self.labels.replace(after)
        await self._record(caller, "label.updated", after)
        return after

    async def delete(self, caller: OperatorCaller, label_id: int) -> None:
        """Delete a label; it is taken off conversations in the background. Raises LabelNotFound, Forbidden."""
        label = await self._get_to_change(caller, label_id)
        if not await self.labels.mark_deleted(caller.tenant_id, label_id, self.clock()):
            raise LabelNotFound
        await self._record(caller, "label.deleted", label)

    async def find_names(self, tenant_id: int, site_id: int, label_ids: Sequence[int]) -> Mapping[int, str]:
        """The names of those of these labels that conversations of a site may have, by id."""
        if not label_ids:
            return {}
        labels = await self.labels.list_by_ids(tenant_id, label_ids)
        return {label.id: label.name for label in labels if label.site_id in (None, site_id)}

    async def remove_orphaned(self) -> None:
        """Delete the labels of sites that were deleted: nobody can see them any more."""
        for tenant_id, name in await self.labels.list_audiences():
            if not await self.audiences.exists(tenant_id, name):
                await self.labels.delete_audience(tenant_id, name)

    async def _get_to_change(self, caller: OperatorCaller, label_id: int) -> Label:
        label = await self.labels.get(caller.tenant_id, label_id)
        if label.site_id is not None:
            require_permission(caller, label.tenant_id, label.site_id)
        await self.audiences.require_change(caller, label.scope, label.site_id, _WHAT)
        return label

    async def _record(self, caller: OperatorCaller, action: str, label: Label) -> None:
        details = {"name": label.name, "scope": label.scope}
        await self.audit.record(caller, action, f"label:{label.id}", label.site_id, details)
