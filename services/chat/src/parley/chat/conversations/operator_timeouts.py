"""Silent operators: a visitor who waits too long for the one who accepted goes back to the AI or to the queue.

The time is kept in the conversation and claimed by the very write that changes it, so that exactly one replica acts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from parley.chat import metrics
from parley.chat.conversations import transitions
from parley.chat.conversations.ports import ConversationStore, Sites
from parley.common.events.schemas import Mode
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Silence:
    conversations: ConversationStore
    sites: Sites
    clock: Clock

    async def end_overdue(self) -> int:
        """Take every conversation whose holder's time is up from them. Returns how many were taken here."""
        taken = 0
        for conversation in await self.conversations.silent(self.clock(), 100):
            site = await self.sites.get(conversation.tenant_id, conversation.site_id)
            to: Mode = "ai" if site.on_timeout == "ai" and conversation.visitor.blocked != "ai" else "pending"
            change = await self.conversations.change(
                conversation.tenant_id, conversation.id, partial(transitions.silence, to=to, at=self.clock())
            )
            if change is not None:
                metrics.SILENCES.labels(to).inc()
                taken += 1
        return taken
