"""What the widget reads: its configuration, the history, and messages that operators have sent since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parley.chat.assignment.queue_places import QueuePlace, QueuePlaces
from parley.chat.conversations.away_notice import is_anyone_reachable
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.ports import ConversationRepository
from parley.chat.forms.model import Questions, offline_questions, prechat_questions
from parley.chat.messages.model import Message
from parley.chat.messages.ports import MessageRepository
from parley.chat.presence.ports import PresenceReader
from parley.chat.site_texts.originals import localize
from parley.chat.sites.business_hours import OpenStatus
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader
from parley.chat.visitors.errors import VisitorNotFound
from parley.chat.visitors.model import Visitor
from parley.chat.visitors.service import VisitorService
from parley.common.auth.identity import VisitorCaller
from parley.common.events.schemas import BlockType
from parley.common.runtime.clock import Clock

_MAX_MESSAGES = 100


@dataclass(frozen=True, slots=True)
class WidgetMessages:
    """Messages of one of the visitor's conversations; no conversation if they have none."""

    conversation: Conversation | None = None
    messages: Sequence[Message] = ()


@dataclass(frozen=True, slots=True)
class WidgetConfig:
    site: SiteSettings
    operators_online: bool
    opening: OpenStatus
    prechat: Questions | None = None
    """What the visitor must answer before a conversation; None if there is nothing."""
    offline: Questions | None = None
    """What the offline form asks; None unless nobody is there."""
    known: Mapping[str, str] = field(default_factory=dict)
    """The contact details that the visitor has entered."""


@dataclass(frozen=True, slots=True)
class WidgetService:
    visitors: VisitorService
    conversations: ConversationRepository
    messages: MessageRepository
    sites: SiteSettingsReader
    presence: PresenceReader
    places: QueuePlaces
    clock: Clock

    async def get_history(
        self, caller: VisitorCaller, before_seq: int | None, limit: int
    ) -> tuple[Visitor, WidgetMessages]:
        """The visitor, with the last messages of their latest conversation. Raises VisitorNotFound."""
        visitor = await self.visitors.get(caller)
        latest = await self.conversations.find_latest(visitor)
        if latest is None:
            return visitor, WidgetMessages()
        messages = await self.messages.list_for_conversation(latest, before_seq=before_seq, limit=limit)
        return visitor, WidgetMessages(latest, messages)

    async def list_operator_messages(self, caller: VisitorCaller, after_seq: int) -> WidgetMessages:
        """Operators' messages of the visitor's latest conversation, after a seq. Raises VisitorNotFound."""
        latest = await self.conversations.find_latest(await self.visitors.get(caller))
        if latest is None:
            return WidgetMessages()
        return await self._list_of_operators(latest, after_seq)

    async def list_unread_proactive(self, caller: VisitorCaller) -> WidgetMessages:
        """Operators' messages of the open conversation that the visitor has not read; none if they are not known.

        Also those of a reopened conversation: a widget does not connect for one that it saw closed.
        """
        try:
            visitor = await self.visitors.get(caller)
        except VisitorNotFound:
            return WidgetMessages()
        conversation = await self.conversations.find_open(visitor)
        if conversation is None:
            return WidgetMessages()
        return await self._list_of_operators(conversation, conversation.visitor_read_seq)

    async def find_queue_place(self, conversation: Conversation | None) -> QueuePlace | None:
        """The visitor's place in the queue; None if they do not wait."""
        return await self.places.find(conversation)

    async def get_block(self, caller: VisitorCaller) -> BlockType | None:
        """How the visitor is blocked; None if they are not, or have never written anything."""
        visitor = await self._find_visitor(caller)
        return visitor.blocked if visitor else None

    async def get_config(self, caller: VisitorCaller, language: str | None) -> WidgetConfig:
        site = localize(await self.sites.get(caller.tenant_id, caller.site_id), language)
        reachable, opening = await is_anyone_reachable(site, self.presence), site.opening(self.clock())
        forms = site.forms
        if not (forms.prechat.enabled or forms.offline.enabled):
            return WidgetConfig(site, reachable, opening)
        visitor = await self._find_visitor(caller)
        proved = visitor.proved if visitor else {}
        prechat = prechat_questions(forms, visitor.form if visitor else None, proved)
        is_away = forms.offline.enabled and not (reachable and opening.open)
        return WidgetConfig(
            site,
            reachable,
            opening,
            prechat=None if prechat.is_empty else prechat,
            offline=offline_questions(forms, proved) if is_away else None,
            known=visitor.own_details if visitor else {},
        )

    async def _list_of_operators(self, conversation: Conversation, after_seq: int) -> WidgetMessages:
        messages = await self.messages.list_for_conversation(
            conversation, after_seq=after_seq, limit=_MAX_MESSAGES, role="operator"
        )
        return WidgetMessages(conversation, messages)

    async def _find_visitor(self, caller: VisitorCaller) -> Visitor | None:
        try:
            return await self.visitors.get(caller)
        except VisitorNotFound:
            return None
