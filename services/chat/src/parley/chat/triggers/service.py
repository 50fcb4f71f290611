"""A site's triggers, for its managers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from parley.chat.ids import NextId
from parley.chat.sites.service import SiteService
from parley.chat.triggers.errors import TooManyTriggers, TriggerNotFound
from parley.chat.triggers.model import MAX_TRIGGERS_PER_SITE, Trigger, TriggerCounts, TriggerDraft
from parley.chat.triggers.ports import ShownTriggers
from parley.chat.triggers.previews import PreviewTokens
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import ValidationFailed
from parley.common.runtime.clock import Clock

Triggers = tuple[Trigger, ...]


@dataclass(frozen=True, slots=True)
class TriggerService:
    """Each method raises SiteNotFound, and Forbidden without the permission that the route requires.

    Each change raises EditConflict if the site is changed at the same time.
    """

    sites: SiteService
    shown: ShownTriggers
    previews: PreviewTokens
    next_id: NextId
    clock: Clock

    async def list_triggers(self, caller: OperatorCaller, site_id: int) -> Sequence[Trigger]:
        """Return the triggers of a site, in their order."""
        return (await self.sites.get(caller, site_id)).triggers

    async def add(self, caller: OperatorCaller, site_id: int, draft: TriggerDraft) -> Trigger:
        """Add a trigger as the last one. Raises TooManyTriggers."""
        await self.sites.get(caller, site_id)
        now = self.clock()
        trigger = Trigger(await self.next_id(), draft, now, now)

        def append(before: Triggers) -> Triggers:
            if len(before) >= MAX_TRIGGERS_PER_SITE:
                raise TooManyTriggers
            return (*before, trigger)

        await self._change(caller, site_id, append, "trigger.created", trigger)
        return trigger

    async def replace(self, caller: OperatorCaller, site_id: int, trigger_id: int, draft: TriggerDraft) -> Trigger:
        """Raises TriggerNotFound."""
        before = await self._get(caller, site_id, trigger_id)
        after = replace(before, draft=draft, updated_at=self.clock())

        def put(triggers: Triggers) -> Triggers:
            _find(triggers, trigger_id)
            return tuple(after if one.id == trigger_id else one for one in triggers)

        await self._change(caller, site_id, put, "trigger.updated", after)
        return after

    async def delete(self, caller: OperatorCaller, site_id: int, trigger_id: int) -> None:
        """Raises TriggerNotFound."""
        deleted = await self._get(caller, site_id, trigger_id)

        def remove(triggers: Triggers) -> Triggers:
            _find(triggers, trigger_id)
            return tuple(one for one in triggers if one.id != trigger_id)

        await self._change(caller, site_id, remove, "trigger.deleted", deleted)

    async def reorder(self, caller: OperatorCaller, site_id: int, trigger_ids: Sequence[int]) -> Sequence[Trigger]:
        """Put the triggers into the order of their ids. Raises ValidationFailed unless all are named once."""

        def sort(triggers: Triggers) -> Triggers:
            by_id = {one.id: one for one in triggers}
            if sorted(trigger_ids) != sorted(by_id):
                raise ValidationFailed({"trigger_ids": "must name each trigger of the site once"})
            return tuple(by_id[one] for one in trigger_ids)

        details = {"count": len(trigger_ids)}
        site = await self.sites.update_triggers(caller, site_id, sort, "trigger.reordered", details)
        return site.triggers

    async def preview(self, caller: OperatorCaller, site_id: int, trigger_id: int) -> tuple[str, datetime]:
        """Issue a token that shows a trigger, also one that is off, and its expiry. Raises TriggerNotFound."""
        await self._get(caller, site_id, trigger_id)
        return self.previews.issue(site_id, trigger_id, self.clock())

    async def list_counts(self, caller: OperatorCaller, site_id: int, days: int) -> Sequence[TriggerCounts]:
        """Return the counts of the last `days` days, today included."""
        await self.sites.get(caller, site_id)
        return await self.shown.list_counts(site_id, self.clock().date() - timedelta(days=days - 1))

    async def _get(self, caller: OperatorCaller, site_id: int, trigger_id: int) -> Trigger:
        return _find((await self.sites.get(caller, site_id)).triggers, trigger_id)

    async def _change(
        self,
        caller: OperatorCaller,
        site_id: int,
        change: Callable[[Triggers], Triggers],
        action: str,
        trigger: Trigger,
    ) -> None:
        details = {"name": trigger.draft.name, "trigger": trigger.id, "enabled": trigger.draft.enabled}
        await self.sites.update_triggers(caller, site_id, change, action, details)


def _find(triggers: Triggers, trigger_id: int) -> Trigger:
    """Raises TriggerNotFound, also if the trigger was deleted since it was read."""
    for trigger in triggers:
        if trigger.id == trigger_id:
            return trigger
    raise TriggerNotFound
