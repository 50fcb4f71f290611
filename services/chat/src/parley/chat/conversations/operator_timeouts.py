"""Operator timeouts: a conversation whose operator does not reply in time goes back to the AI or to the queue.

The deadline is part of the conversation, and the write that takes it from the operator also clears the deadline: so
exactly one replica acts on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from parley.chat import metrics
from parley.chat.conversations import transitions
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.ports import ConversationRepository
from parley.chat.presence.ports import PresenceReader
from parley.chat.sites.site_settings import SiteSettingsReader, find_site
from parley.common.events.schemas import Mode
from parley.common.runtime.clock import Clock

_MAX_PER_RUN = 100


@dataclass(frozen=True, slots=True)
class OperatorTimeouts:
    conversations: ConversationRepository
    sites: SiteSettingsReader
    presence: PresenceReader
    clock: Clock

    async def return_overdue(self) -> int:
        """Return overdue conversations to the AI or the queue. Returns how many this replica returned."""
        returned = 0
        for conversation in await self.conversations.list_operator_overdue(self.clock(), _MAX_PER_RUN):
            site = await find_site(self.sites, conversation.tenant_id, conversation.site_id)
            to_ai = site is not None and site.on_timeout == "ai" and conversation.visitor.blocked != "ai"
            to: Mode = "ai" if to_ai else "pending"
            online = await self._is_online(conversation)
            time_out = partial(transitions.time_out_operator, to=to, at=self.clock(), online=online)
            change = await self.conversations.change(conversation.tenant_id, conversation.id, time_out)
            if change is not None and change.events:
                metrics.OPERATOR_TIMEOUTS.labels(to).inc()
                returned += 1
        return returned

    async def _is_online(self, conversation: Conversation) -> bool:
        operator = conversation.operator
        return operator is not None and operator.id in await self.presence.operators_online(conversation.site_id)
