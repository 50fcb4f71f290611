"""Shows visitors the triggers of their site, and counts what becomes of them.

The widget checks what happens on the page, and asks once the conditions of a trigger are met there. What only the
server knows is checked then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from parley.chat import metrics
from parley.chat.conversations.ports import ConversationRepository
from parley.chat.presence.ports import PresenceReader
from parley.chat.site_texts.originals import localize
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader
from parley.chat.triggers.model import ShownTrigger, Trigger, list_live
from parley.chat.triggers.ports import ShownTriggers
from parley.chat.triggers.previews import PreviewTokens
from parley.chat.triggers.timeouts import ANSWER_WINDOW
from parley.chat.visitors.model import DataSubject
from parley.chat.visitors.ports import VisitorRepository
from parley.common.auth.identity import VisitorCaller
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class TriggerDelivery:
    sites: SiteSettingsReader
    visitors: VisitorRepository
    conversations: ConversationRepository
    presence: PresenceReader
    shown: ShownTriggers
    previews: PreviewTokens
    clock: Clock

    async def list_live(self, caller: VisitorCaller) -> Sequence[Trigger]:
        """Return the site's live triggers, in their order."""
        return list_live((await self.sites.get(caller.tenant_id, caller.site_id)).triggers)

    async def find_previewed(self, caller: VisitorCaller, token: str) -> Trigger | None:
        """Return the trigger that a preview's token shows, also one that is off; None unless the token is valid."""
        trigger_id = self.previews.read(token, caller.site_id, self.clock())
        site = await self.sites.get(caller.tenant_id, caller.site_id)
        return next((trigger for trigger in site.triggers if trigger.id == trigger_id), None)

    async def show(
        self, caller: VisitorCaller, trigger_ids: Collection[int], language: str | None
    ) -> ShownTrigger | None:
        """Show a visitor the first of some triggers that may be shown now, in their language, and count it.

        None while a conversation is going on, and for a visitor who is blocked in any way.
        """
        site = localize(await self.sites.get(caller.tenant_id, caller.site_id), language)
        candidates = [one for one in list_live(site.triggers) if one.id in trigger_ids]
        if not candidates or not await self._may_be_addressed(caller):
            return None
        online = bool(await self.presence.operators_online(site.id))
        for trigger in candidates:
            if trigger.draft.accepts_language(language) and self._is_time_for(trigger, site, online=online):
                shown = await self._record_shown(caller, trigger)
                if shown is not None:
                    return shown
        return None

    async def record_opened(self, caller: VisitorCaller, trigger_id: int) -> None:
        """Count that the visitor has opened the chat at a trigger that they were shown."""
        if await self.shown.record_opened(_subject(caller), trigger_id):
            metrics.TRIGGERS.labels("opened").inc()

    async def find_answerable(self, caller: VisitorCaller, trigger_id: int) -> ShownTrigger | None:
        """Return what the visitor was shown lately of a trigger; None if they were not."""
        return await self.shown.find(_subject(caller), trigger_id, self.clock() - ANSWER_WINDOW)

    async def record_answered(self, caller: VisitorCaller, trigger_id: int) -> None:
        """Count that the visitor has begun a conversation with an answer to a trigger, which they have opened then."""
        await self.record_opened(caller, trigger_id)
        if await self.shown.record_answered(_subject(caller), trigger_id):
            metrics.TRIGGERS.labels("answered").inc()

    async def _may_be_addressed(self, caller: VisitorCaller) -> bool:
        visitor = await self.visitors.find(caller.tenant_id, caller.site_id, caller.session)
        if visitor is None:
            return True
        return visitor.blocked is None and await self.conversations.find_open(visitor) is None

    def _is_time_for(self, trigger: Trigger, site: SiteSettings, *, online: bool) -> bool:
        draft = trigger.draft
        if draft.operators != "any" and (draft.operators == "online") != online:
            return False
        return draft.hours == "any" or (draft.hours == "open") == site.opening(self.clock()).open

    async def _record_shown(self, caller: VisitorCaller, trigger: Trigger) -> ShownTrigger | None:
        now, draft = self.clock(), trigger.draft
        shown, pause = ShownTrigger(trigger.id, draft.message, now, quick_replies=draft.quick_replies), draft.pause
        if not await self.shown.record_shown(_subject(caller), shown, None if pause is None else now - pause):
            return None
        metrics.TRIGGERS.labels("shown").inc()
        return shown


def _subject(caller: VisitorCaller) -> DataSubject:
    return DataSubject(caller.tenant_id, caller.site_id, caller.session)
