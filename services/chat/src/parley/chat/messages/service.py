"""Sending and receiving messages, each stored once however often it is sent.

A client's message id is the deduplication key. A conversation holds its latest ids itself; older ones are looked up
before the write, from a snapshot of the conversation. The transition then checks that no more messages were added
since the snapshot than the conversation holds ids for; else the snapshot is stale and the lookup is repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from parley.chat.actors import operator_ref, visitor_actor
from parley.chat.audit.model import AuditEntry
from parley.chat.conversations import events, transitions
from parley.chat.conversations.away_notice import find_away_notice
from parley.chat.conversations.errors import ConcurrentModification, ConversationNotFound
from parley.chat.conversations.model import MAX_RECENT_IDS, Change, Conversation
from parley.chat.conversations.ports import AuditLog, ConversationRepository, EphemeralPublisher
from parley.chat.conversations.service import build_audit_entry
from parley.chat.files.model import SendableFile
from parley.chat.forms.errors import PrechatFormRequired
from parley.chat.forms.model import SiteForms, prechat_questions
from parley.chat.ids import NextConversationId, NextId
from parley.chat.messages.errors import IdempotencyKeyReused, MessageNotPersisted
from parley.chat.messages.model import Message, MessageDraft
from parley.chat.messages.ports import FindJoinedPerson, MessageRepository, MessageTranslator
from parley.chat.presence.ports import PresenceReader
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader, get_authorized_site
from parley.chat.visitors.errors import VisitorIsBlocked, VisitorIsOffline, VisitorNotFound
from parley.chat.visitors.model import Visitor
from parley.chat.visitors.ports import VisitorRepository
from parley.chat.visitors.service import require_not_blocked
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.events.schemas import MessageTranslation, QuickReply
from parley.common.runtime.clock import Clock

_MAX_ATTEMPTS = 5


class SessionJoined(Exception):
    """The visitor's session was joined to the history of a person while the request was on its way.

    MessageService catches it and goes on as the person.
    """

    def __init__(self, person: Visitor) -> None:
        super().__init__()
        self.person = person


class StaleRead(Exception):
    """The conversation has changed since its snapshot in a way that matters.

    MessageService catches it and starts again from a new snapshot.
    """


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A visitor's message as it is stored. `duplicate`: it was received before."""

    conversation: Conversation
    message: Message | None
    duplicate: bool = False
    opened: bool = False
    """Whether the conversation begins with the opening that the message answers."""


@dataclass(frozen=True, slots=True)
class OperatorContent:
    """What an operator sends."""

    text: str
    image_url: str | None = None
    file: SendableFile | None = None
    quick_replies: tuple[QuickReply, ...] = ()

    def require_same(self, earlier: Message) -> Message:
        """The message that was sent before under the same id. Raises IdempotencyKeyReused if its content differs."""
        before = (earlier.content, earlier.image_url, earlier.file and earlier.file.id, earlier.quick_replies)
        if before != (self.text, self.image_url, self.file and self.file.file.id, self.quick_replies):
            raise IdempotencyKeyReused
        return earlier


@dataclass(frozen=True, slots=True)
class MessageService:
    conversations: ConversationRepository
    messages: MessageRepository
    visitors: VisitorRepository
    sites: SiteSettingsReader
    presence: PresenceReader
    audit: AuditLog
    publish_ephemeral: EphemeralPublisher
    translator: MessageTranslator
    clock: Clock
    next_conversation_id: NextConversationId
    next_message_id: NextId
    find_joined_person: FindJoinedPerson

    async def send(
        self,
        caller: OperatorCaller,
        conversation_id: int,
        content: OperatorContent,
        message_id: str | None,
    ) -> Message:
        """Send an operator's message; an unassigned conversation is accepted by it.

        Raises ConversationNotFound, Forbidden, AssignedToAnother, ConversationIsClosed, IdempotencyKeyReused,
        ConcurrentModification, and ValidationFailed for a file that the site does not accept.
        """
        dedup_key = f"operator:{caller.operator_id}:{message_id}" if message_id else None
        for _ in range(_MAX_ATTEMPTS):
            snapshot = await self.conversations.find_snapshot(caller.tenant_id, conversation_id)
            if snapshot is None:
                raise ConversationNotFound
            caller.authorize(snapshot.tenant_id, snapshot.site_id)
            if dedup_key is not None and snapshot.last_seq > MAX_RECENT_IDS:
                earlier = await self.messages.find_duplicate(snapshot, dedup_key)
                if earlier is not None:
                    return content.require_same(earlier)
            draft = await self._build_operator_draft(caller, snapshot, content, dedup_key)
            try:
                change = await self._add_operator_message(caller, snapshot, draft)
            except StaleRead:
                continue
            if change is None:
                return content.require_same(await self._get_recent(snapshot, dedup_key))
            return change.messages[0]
        raise ConcurrentModification

    async def _build_operator_draft(
        self,
        caller: OperatorCaller,
        snapshot: Conversation,
        content: OperatorContent,
        dedup_key: str | None,
    ) -> MessageDraft:
        attached = None
        if content.file is not None:
            attached = content.file.attach(await self.sites.get(caller.tenant_id, snapshot.site_id), self.clock())
        labels = [reply.label for reply in content.quick_replies]
        return MessageDraft(
            await self.next_message_id(),
            "operator",
            content.text,
            content.image_url,
            operator_ref(caller),
            dedup_key,
            attached,
            translation=await self.translator(snapshot, content.text, labels),
            quick_replies=content.quick_replies,
        )

    async def _add_operator_message(
        self, caller: OperatorCaller, snapshot: Conversation, draft: MessageDraft
    ) -> Change | None:
        """None if the conversation's recent ids contain the message. Raises StaleRead."""
        site = await self.sites.get(caller.tenant_id, snapshot.site_id)
        at, by = self.clock(), operator_ref(caller)
        # Messages are a record of their own; the audit log records that one accepts the conversation.
        accepted = (
            await build_audit_entry(self.audit, caller, snapshot, "accepted") if snapshot.operator is None else None
        )

        def add(current: Conversation) -> Change | None:
            if current.find_recent_seq(draft.message_id) is not None:
                return None
            change = transitions.add_operator_message(
                current, draft, by, at, site.operator_timeout, site.silence_policy
            )
            audit_entry_missing = current.operator is None and accepted is None
            # Ids up to the snapshot were looked up if it had more messages than recent ids.
            unchecked_ids = draft.message_id is not None and (
                current.last_seq > snapshot.last_seq + MAX_RECENT_IDS
                or snapshot.last_seq <= MAX_RECENT_IDS < current.last_seq
            )
            if audit_entry_missing or unchecked_ids or current.translation != snapshot.translation:
                raise StaleRead
            return change.with_audit_entry(accepted) if len(change.events) > 1 else change

        return await self.conversations.change(snapshot.tenant_id, snapshot.id, add)

    async def send_proactive(
        self, caller: OperatorCaller, site_id: int, session: str, content: OperatorContent
    ) -> Message:
        """Send the first message to a visitor who is online.

        Raises NotFound, Forbidden, VisitorNotFound, VisitorIsOffline, AssignedToAnother, ConcurrentModification.
        """
        site = await get_authorized_site(self.sites, caller, site_id)
        existing = await self.visitors.find(caller.tenant_id, site_id, session)
        if not await self.presence.visitor_online(site_id, session):
            if existing is None:
                raise VisitorNotFound
            raise VisitorIsOffline
        visitor = existing or await self.visitors.get_or_create(caller.tenant_id, site_id, session, None)
        try:
            return await self._send_proactive(caller, site, visitor, content)
        except SessionJoined as exc:
            return await self._send_proactive(caller, site, exc.person, content)

    async def _send_proactive(
        self, caller: OperatorCaller, site: SiteSettings, visitor: Visitor, content: OperatorContent
    ) -> Message:
        at, by = self.clock(), operator_ref(caller)
        draft = MessageDraft(
            await self.next_message_id(),
            "operator",
            content.text,
            sender=by,
            proactive=True,
            quick_replies=content.quick_replies,
        )
        for _ in range(_MAX_ATTEMPTS):
            # Whom an operator writes to is asked for nothing first.
            conversation = await self._get_or_open_conversation(visitor, None)
            entry = await build_audit_entry(self.audit, caller, conversation, "proactive")

            def add(current: Conversation, entry: AuditEntry = entry) -> Change | None:
                if not _is_open_for(visitor, current):
                    return None
                change = transitions.add_operator_message(
                    current, draft, by, at, site.operator_timeout, site.silence_policy
                )
                return change.with_audit_entry(entry)

            change = await self.conversations.change(conversation.tenant_id, conversation.id, add)
            if change is not None:
                return change.messages[0]
        raise ConcurrentModification

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
        opening: str | None = None,
    ) -> ReceivedMessage:
        """Store a visitor's message; opens a conversation if none is open.

        `reply_to` is the seq of the message whose quick reply it is; ignored unless that message offers it.
        `opening` is what the assistant wrote first: it begins a conversation that has no messages.

        Raises VisitorIsBlocked, VisitorBeingErased, ConcurrentModification, PrechatFormRequired before a new
        conversation, and ValidationFailed for a file that the site does not accept.
        """
        visitor = await self.visitors.get_or_create(caller.tenant_id, caller.site_id, caller.session, language)
        draft = MessageDraft(
            await self.next_message_id(), "visitor", content, image_url, message_id=message_id, confirms=confirms
        )
        first = None
        if opening is not None:
            first = MessageDraft(await self.next_message_id(), "ai", opening, proactive=True)
        try:
            return await self._receive(visitor, draft, file, reply_to, first)
        except SessionJoined as exc:
            return await self._receive(exc.person, draft, file, reply_to, first)

    async def _receive(
        self,
        visitor: Visitor,
        draft: MessageDraft,
        file: SendableFile | None,
        reply_to: int | None,
        first: MessageDraft | None,
    ) -> ReceivedMessage:
        require_not_blocked(visitor)
        site = await self.sites.get(visitor.tenant_id, visitor.site_id)
        offer = await self._find_offer(visitor, reply_to, draft.content)
        add = await self._build_visitor_transition(visitor, site, draft, file, offer, first)
        return await self._store_received(visitor, draft.message_id, add, site.forms)

    async def receive_offline(
        self,
        visitor: Visitor,
        content: str,
        *,
        message_id: str | None,
        confirmation: str | None,
        label_id: int | None,
    ) -> ReceivedMessage:
        """Store the message of an offline form, and put the visitor's conversation into the queue.

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
                team_id=_chosen_team(visitor, site.forms),
                label_id=label_id,
                notice=notice,
            )

        try:
            return await self._store_received(visitor, message_id, add, None)
        except SessionJoined as exc:
            return await self.receive_offline(
                exc.person, content, message_id=message_id, confirmation=confirmation, label_id=label_id
            )

    async def _store_received(
        self,
        visitor: Visitor,
        message_id: str | None,
        add: Callable[[Conversation, Conversation], Change | None],
        required: SiteForms | None,
    ) -> ReceivedMessage:
        """Apply the transition that adds a visitor's message, which may have been received before."""
        for _ in range(_MAX_ATTEMPTS):
            snapshot = await self.conversations.find_open_snapshot(visitor)
            if message_id is not None:
                earlier = await self._find_received(visitor, message_id, snapshot)
                if earlier is not None:
                    return earlier
            conversation = snapshot or await self._get_or_open_conversation(visitor, required)
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
            # The offer's conversation may have been closed meanwhile.
            is_choice = offer is not None and offer.conversation_id == current.id
            message = replace(draft, reply_to=offer.seq) if offer is not None and is_choice else draft
            return transitions.add_visitor_message(
                admitted, message, at, site.operator_timeout, needs_human=needs_human, notice=notice, opening=opening
            )

        return add

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
        for _ in range(_MAX_ATTEMPTS):
            conversation = await self._get_or_open_conversation(visitor, site.forms)
            change = await self.conversations.change(
                conversation.tenant_id,
                conversation.id,
                lambda current: (
                    transitions.request_handoff(current, "asked", at, notice)
                    if _is_open_for(visitor, current)
                    else None
                ),
            )
            if change is not None:
                return change.conversation
        raise ConcurrentModification

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

    async def save_translation(self, conversation_id: int, seq: int, translation: MessageTranslation) -> None:
        """Store a message's translation; no effect if the conversation was erased. Raises MessageNotPersisted."""
        if await self.messages.set_translation(conversation_id, seq, translation):
            return
        if await self.conversations.find_by_id(conversation_id) is not None:
            raise MessageNotPersisted

    async def _build_away_notice(self, visitor: Visitor, site: SiteSettings) -> MessageDraft | None:
        text = await find_away_notice(site, visitor.language, self.presence, self.clock())
        return MessageDraft(await self.next_message_id(), "system", text) if text is not None else None

    async def _get_or_open_conversation(self, visitor: Visitor, required: SiteForms | None) -> Conversation:
        """The visitor's open conversation, or a new one.

        `required`: the site's forms, of which the visitor must have answered the one before the chat. Raises
        SessionJoined, ConcurrentModification, PrechatFormRequired.
        """
        for _ in range(_MAX_ATTEMPTS):
            conversation = await self.conversations.find_open(visitor)
            if conversation is not None:
                return conversation
            await self._require_not_joined(visitor)
            if required is not None and not prechat_questions(required, visitor.form, visitor.proved).is_empty:
                raise PrechatFormRequired
            latest = await self.conversations.find_latest(visitor)
            conversation_id = await self.next_conversation_id(visitor.session)
            change = transitions.open_conversation(
                visitor,
                conversation_id,
                latest.id if latest else None,
                "ai",
                self.clock(),
                _chosen_team(visitor, required) if required is not None else None,
            )
            if await self.conversations.create(change):
                await self._close_if_joined(visitor, change.conversation)
                return change.conversation
        raise ConcurrentModification

    async def _require_not_joined(self, visitor: Visitor) -> None:
        person = await self.find_joined_person(visitor)
        if person is not None:
            raise SessionJoined(person)

    async def _close_if_joined(self, visitor: Visitor, conversation: Conversation) -> None:
        """Close a conversation that came too late to join the history of a person. Raises SessionJoined."""
        try:
            await self._require_not_joined(visitor)
        except SessionJoined:
            at = self.clock()
            await self.conversations.change(
                conversation.tenant_id,
                conversation.id,
                # It may have joined all the same.
                lambda current: transitions.close_for_newer(current, at) if _is_open_for(visitor, current) else None,
            )
            raise

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

    async def _get_recent(self, conversation: Conversation, dedup_key: str | None) -> Message:
        """The message with an id that is among the recent ones. Raises ConcurrentModification if it is not anymore."""
        latest = await self.conversations.find(conversation.tenant_id, conversation.id)
        if latest is None:
            raise ConversationNotFound
        seq = latest.find_recent_seq(dedup_key)
        if seq is None:
            raise ConcurrentModification
        messages = await self.messages.list_for_conversation(latest, after_seq=seq - 1, limit=1)
        if not messages:
            raise ConcurrentModification
        return messages[0]


def _is_open_for(visitor: Visitor, conversation: Conversation) -> bool:
    """Whether a visitor may still write in it: it may have been closed, or joined to the history of a person."""
    return conversation.open and conversation.visitor.key == visitor.key


def _admit(
    visitor: Visitor, message_id: str | None, snapshot: Conversation, current: Conversation
) -> Conversation | None:
    """The conversation, with the visitor as they are now; None if the message does not belong there.

    Raises StaleRead.
    """
    if not _is_open_for(visitor, current) or current.find_recent_seq(message_id) is not None:
        return None
    # Ids up to the snapshot were looked up, later ones are recent ids.
    if message_id is not None and current.last_seq > snapshot.last_seq + MAX_RECENT_IDS:
        raise StaleRead
    return replace(current, visitor=visitor) if visitor.version > current.visitor.version else current


def _chosen_team(visitor: Visitor, forms: SiteForms) -> int | None:
    """The team that the visitor chose, if the site still offers it."""
    chosen = visitor.form.department if visitor.form is not None else None
    return chosen.id if chosen is not None and forms.offers(chosen.id) else None
