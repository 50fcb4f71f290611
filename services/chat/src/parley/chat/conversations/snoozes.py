"""Ends snoozes whose time has come.

The time is part of the conversation, and the write that ends the snooze clears it: so exactly one replica does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from parley.chat.conversations import transitions
from parley.chat.conversations.ports import ConversationRepository
from parley.chat.sites.site_settings import SiteSettingsReader, find_site
from parley.common.runtime.clock import Clock

_MAX_PER_RUN = 100


@dataclass(frozen=True, slots=True)
class Snoozes:
    conversations: ConversationRepository
    sites: SiteSettingsReader
    clock: Clock

    async def wake_due(self) -> int:
        """Show conversations again whose snooze has ended. Returns how many this replica woke."""
        woken = 0
        for conversation in await self.conversations.list_snoozes_ended(self.clock(), _MAX_PER_RUN):
            site = await find_site(self.sites, conversation.tenant_id, conversation.site_id)
            timeout = site.operator_timeout if site is not None else None
            wake = partial(transitions.wake, at=self.clock(), timeout=timeout)
            if await self.conversations.change(conversation.tenant_id, conversation.id, wake) is not None:
                woken += 1
        return woken
