"""Closes conversations whose visitor does not answer the operator, after a notice, on sites that want it.

The time of the next step is part of the conversation, and the write that does the step moves or clears it: so exactly
one replica does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from parley.chat import metrics
from parley.chat.conversations import transitions
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.ports import ConversationRepository
from parley.chat.ids import NextId
from parley.chat.messages.model import MessageDraft
from parley.chat.sites.silence_policy import SilencePolicy
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader, find_site
from parley.chat.system_messages import get_locale_strings, is_supported
from parley.common.runtime.clock import Clock

_MAX_PER_RUN = 100


@dataclass(frozen=True, slots=True)
class VisitorSilences:
    conversations: ConversationRepository
    sites: SiteSettingsReader
    clock: Clock
    next_message_id: NextId

    async def check_due(self) -> int:
        """Do the steps that are due. Returns how many conversations this replica closed."""
        closed = 0
        for conversation in await self.conversations.list_silence_due(self.clock(), _MAX_PER_RUN):
            site = await find_site(self.sites, conversation.tenant_id, conversation.site_id)
            policy = site.silence_policy if site is not None else None
            text = _build_notice(site, conversation, policy) if site is not None and policy is not None else ""
            notice = MessageDraft(await self.next_message_id(), "system", text)
            check = partial(transitions.check_silence, policy=policy, notice=notice, at=self.clock())
            change = await self.conversations.change(conversation.tenant_id, conversation.id, check)
            if change is not None and not change.conversation.open:
                metrics.CLOSED_FOR_SILENCE.inc()
                closed += 1
        return closed


def _build_notice(site: SiteSettings, conversation: Conversation, policy: SilencePolicy) -> str:
    """The notice, in the visitor's language if it is supported, or else in the site's."""
    language = conversation.visitor.language
    strings = get_locale_strings(language if is_supported(language) else site.language)
    return strings.closing_soon.format(minutes=int(policy.notice.total_seconds() // 60))
