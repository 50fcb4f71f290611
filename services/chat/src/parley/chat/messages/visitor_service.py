"""What visitors do in their conversation: write, answer an offline form, request a person, read and type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from parley.chat.actors import visitor_actor
from parley.chat.conversations import events, transitions
from parley.chat.conversations.away_notice import find_away_notice
from parley.chat.conversations.errors import ConcurrentModification
from parley.chat.conversations.model import MAX_RECENT_IDS, Change, Conversation
from parley.chat.conversations.ports import ConversationRepository, EphemeralPublisher
from parley.chat.files.model import SendableFile
from parley.chat.forms.model import SiteForms
from parley.chat.ids import NextId
from parley.chat.messages.errors import SessionJoined, StaleRead
from parley.chat.messages.model import Message, MessageDraft, Opening
from parley.chat.messages.ports import MessageRepository
from parley.chat.messages.visitor_conversations import MAX_ATTEMPTS, VisitorConversations, is_open_for
from parley.chat.presence.ports import PresenceReader
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader
from parley.chat.visitors.errors import VisitorIsBlocked, VisitorNotFound
from parley.chat.visitors.model import Visitor
from parley.chat.visitors.ports import VisitorRepository
from parley.chat.visitors.service import require_not_blocked
from parley.common.auth.identity import VisitorCaller
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A visitor's message as it is stored. `duplicate`: it was received before."""

    conversation: Conversation
    message: Message | None
    duplicate: bool = False
    opened: bool = False
    """Whether the conversation begins with the opening that the message answers."""


@dataclass(frozen=True, slots=True)
class VisitorMessageService:
    conversations: ConversationRepository
    messages: MessageRepository
    visitors: VisitorRepository
    visitor_conversations: VisitorConversations
    sites: SiteSettingsReader
    presence: PresenceReader
    publish_ephemeral: EphemeralPublisher
    clock: Clock
    next_message_id: NextId

    async def receive(
        self,
        caller: VisitorCaller,
        content: str,
        *,
        image_url: str | None = None,
        file: SendableFile | None = None,
        message_id: str | None = None,
        language: str | None = None,
        confirms: str | None = None,
        reply_to: int | None = None,
        opening: Opening | None = None,
    ) -> ReceivedMessage:
        """Store a visitor's message; opens a conversation if none is open.

        `reply_to` is the seq of the message whose quick reply it is; ignored unless that message offers it.
        `opening` begins a conversation that has no messages, so its seq is 1.

        Raises VisitorIsBlocked, VisitorBeingErased, ConcurrentModification, PrechatFormRequired before a new
        conversation, and ValidationFailed for a file that the site does not accept.
        """
        visitor = await self.visitors.get_or_create(caller.tenant_id, caller.site_id, caller.session, language)
        draft = MessageDraft(
            await self.next_message_id(),
            "visitor",
            content,
            image_url,
            message_id=message_id,
            confirms=confirms,
            reply_to=reply_to,
        )
        first = None
        if opening is not None:
            first = opening.to_draft(await self.next_message_id())
        try:
            return await self._receive(visitor, draft, file, first)
        except SessionJoined as exc:
            return await self._receive(exc.person, draft, file, first)

    async def _receive(
        self,
        visitor: Visitor,
        draft: MessageDraft,
        file: SendableFile | None,
        first: MessageDraft | None,
    ) -> ReceivedMessage:
        require_not_blocked(visitor)
        site = await self.sites.get(visitor.tenant_id, visitor.site_id)
        offer = await self._find_offer(visitor, draft.reply_to, draft.content)
        add = await self._build_visitor_transition(visitor, site, draft, file, offer, first)
        return await self._store_received(visitor, draft.message_id, add, site.forms)

    async def _find_offer(self, visitor: Visitor, seq: int | None, text: str) -> Message | None:
        """The message with this seq in the visitor's open conversation, if it has a quick reply that sends the text."""
        conversation = await self.conversations.find_open(visitor) if seq is not None else None
        if seq is None or conversation is None or seq > conversation.last_seq:
            return None
        messages = await self.messages.list_for_conversation(conversation, after_seq=seq - 1, limit=1)
        return messages[0] if messages and messages[0].offers(text) else None

    async def _build_visitor_transition(
        self,
        visitor: Visitor,
        site: SiteSettings,
        draft: MessageDraft,
        file: SendableFile | None,
        offer: Message | None,
        opening: MessageDraft | None,
    ) -> Callable[[Conversation, Conversation], Change | None]:
        """The transition that adds a visitor's message, as a function of the snapshot and the current state."""
        at = self.clock()
        if file is not None:
            draft = replace(draft, file=file.attach(site, at))
        message_id = draft.message_id
        needs_human = visitor.blocked == "ai"
        notice = await self._build_away_notice(visitor, site) if needs_human else None

        def add(snapshot: Conversation, current: Conversation) -> Change | None:
            admitted = _admit(visitor, message_id, snapshot, current)
            if admitted is None:
                return None
            if visitor.blocked == "operator" and admitted.mode != "ai":
                raise VisitorIsBlocked
            message = draft if _is_choice(draft, offer, opening, current) else replace(draft, reply_to=None)
            return transitions.add_visitor_message(
                admitted, message, at, site.operator_timeout, needs_human=needs_human, notice=notice, opening=opening
            )

        return add

    async def receive_offline(
        self,
        visitor: Visitor,
        content: str,
        *,
        message_id: str | None,
        confirmation: str | None,
        label_id: int | None,
        team_id: int | None,
    ) -> ReceivedMessage:
        """Store the message of an offline form, and put the visitor's conversation into the queue.

        It gets a label, and the team that the visitor has chosen.

        Raises VisitorIsBlocked, ConcurrentModification.
        """
        if visitor.blocked in ("both", "operator"):
            raise VisitorIsBlocked
        site = await self.sites.get(visitor.tenant_id, visitor.site_id)
        at = self.clock()
        draft = MessageDraft(await self.next_message_id(), "visitor", content, message_id=message_id)
        notice = MessageDraft(await self.next_message_id(), "system", confirmation) if confirmation else None

        def add(snapshot: Conversation, current: Conversation) -> Change | None:
            admitted = _admit(visitor, message_id, snapshot, current)
            if admitted is None:
                return None
            return transitions.add_offline_message(
                admitted,
                draft,
                at,
                site.operator_timeout,
                team_id=team_id,
                label_id=label_id,
                notice=notice,
            )

        try:
            return await self._store_received(visitor, message_id, add, None)
        except SessionJoined as exc:
            return await self.receive_offline(
                exc.person,
                content,
                message_id=message_id,
                confirmation=confirmation,
                label_id=label_id,
                team_id=team_id,
            )

    async def _store_received(
        self,
        visitor: Visitor,
        message_id: str | None,
        add: Callable[[Conversation, Conversation], Change | None],
        required: SiteForms | None,
    ) -> ReceivedMessage:
        """Apply the transition that adds a visitor's message, which may have been received before."""
        for _ in range(MAX_ATTEMPTS):
            snapshot = await self.conversations.find_open_snapshot(visitor)
            if message_id is not None:
                earlier = await self._find_received(visitor, message_id, snapshot)
                if earlier is not None:
                    return earlier
            conversation = snapshot or await self.visitor_conversations.get_or_open(visitor, required)
            try:
                change = await self.conversations.change(
                    conversation.tenant_id, conversation.id, partial(add, conversation)
                )
            except StaleRead:
                continue
            if change is not None:
                added = {message.role: message for message in change.messages}
                return ReceivedMessage(change.conversation, added["visitor"], opened="ai" in added)
        raise ConcurrentModification

    async def _find_received(
        self, visitor: Visitor, message_id: str, snapshot: Conversation | None
    ) -> ReceivedMessage | None:
        """The message received under an id before, in the visitor's open conversation or in an earlier one."""
        if snapshot is None:
            message = await self.messages.find_by_message_id(visitor, message_id)
        elif (seq := snapshot.find_recent_seq(message_id)) is not None:
            messages = await self.messages.list_for_conversation(snapshot, after_seq=seq - 1, limit=1)
            return ReceivedMessage(snapshot, messages[0] if messages else None, duplicate=True)
        else:
            message = await self.messages.find_duplicate(snapshot, message_id)
        if message is None:
            return None
        conversation = await self.conversations.find(visitor.tenant_id, message.conversation_id)
        return ReceivedMessage(conversation, message, duplicate=True) if conversation else None

    async def request_handoff(self, caller: VisitorCaller) -> Conversation:
        """Put the visitor's conversation into the queue, on their request.

        Raises VisitorIsBlocked, and PrechatFormRequired before a new conversation.
        """
        visitor = await self.visitors.get_or_create(caller.tenant_id, caller.site_id, caller.session, None)
        try:
            return await self._request_handoff(visitor)
        except SessionJoined as exc:
            return await self._request_handoff(exc.person)

    async def _request_handoff(self, visitor: Visitor) -> Conversation:
        require_not_blocked(visitor)
        if visitor.blocked == "operator":
            raise VisitorIsBlocked
        site = await self.sites.get(visitor.tenant_id, visitor.site_id)
        notice = await self._build_away_notice(visitor, site)
        at = self.clock()
        for _ in range(MAX_ATTEMPTS):
            conversation = await self.visitor_conversations.get_or_open(visitor, site.forms)
            change = await self.conversations.change(
                conversation.tenant_id,
                conversation.id,
                lambda current: (
                    transitions.request_handoff(current, "asked", at, notice) if is_open_for(visitor, current) else None
                ),
            )
            if change is not None:
                return change.conversation
        raise ConcurrentModification

    async def _build_away_notice(self, visitor: Visitor, site: SiteSettings) -> MessageDraft | None:
        text = await find_away_notice(site, visitor.language, self.presence, self.clock())
        return MessageDraft(await self.next_message_id(), "system", text) if text is not None else None

    async def mark_read(self, caller: VisitorCaller, seq: int) -> None:
        """Mark messages of the visitor's latest conversation as read, up to `seq`. Raises VisitorNotFound."""
        visitor = await self.visitors.find(caller.tenant_id, caller.site_id, caller.session)
        conversation = await self.conversations.find_latest(visitor) if visitor else None
        if conversation is None:
            raise VisitorNotFound
        at = self.clock()
        await self.conversations.change(
            conversation.tenant_id,
            conversation.id,
            lambda current: transitions.mark_read_by_visitor(current, seq, at),
        )

    async def show_typing(self, caller: VisitorCaller) -> None:
        """Show operators that the visitor is typing. Raises VisitorNotFound, VisitorIsBlocked."""
        visitor = await self.visitors.find(caller.tenant_id, caller.site_id, caller.session)
        if visitor is None:
            raise VisitorNotFound
        require_not_blocked(visitor)
        conversation = await self.conversations.find_open(visitor)
        if conversation is not None:
            await self.publish_ephemeral(events.typing(conversation, visitor_actor(visitor.name)))


def _is_choice(draft: MessageDraft, offer: Message | None, opening: MessageDraft | None, current: Conversation) -> bool:
    """Whether the message is a quick reply of the message that it refers to: of one that is stored, or the opening."""
    # The offer's conversation may have been closed meanwhile.
    if offer is not None and offer.conversation_id == current.id:
        return True
    begins = current.last_seq == 0 and draft.reply_to == 1
    return begins and opening is not None and opening.offers(draft.content)


def _admit(
    visitor: Visitor, message_id: str | None, snapshot: Conversation, current: Conversation
) -> Conversation | None:
    """The conversation, with the visitor as they are now; None if the message does not belong there.

    Raises StaleRead.
    """
    if not is_open_for(visitor, current) or current.find_recent_seq(message_id) is not None:
        return None
    # Ids up to the snapshot were looked up, later ones are recent ids.
    if message_id is not None and current.last_seq > snapshot.last_seq + MAX_RECENT_IDS:
        raise StaleRead
    return replace(current, visitor=visitor) if visitor.version > current.visitor.version else current
