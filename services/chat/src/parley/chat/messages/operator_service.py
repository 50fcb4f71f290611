"""What operators send: into a conversation, or as the first message to a visitor who is online."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.actors import operator_ref
from parley.chat.audit.model import AuditEntry
from parley.chat.conversations import transitions
from parley.chat.conversations.errors import ConcurrentModification, ConversationNotFound
from parley.chat.conversations.model import MAX_RECENT_IDS, Change, Conversation
from parley.chat.conversations.ports import AuditLog, ConversationRepository
from parley.chat.conversations.service import build_audit_entry
from parley.chat.files.model import SendableFile
from parley.chat.ids import NextId
from parley.chat.messages.errors import IdempotencyKeyReused, SessionJoined, StaleRead
from parley.chat.messages.model import Message, MessageDraft
from parley.chat.messages.ports import MessageRepository, MessageTranslator
from parley.chat.messages.visitor_conversations import MAX_ATTEMPTS, VisitorConversations, is_open_for
from parley.chat.presence.ports import PresenceReader
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader, get_authorized_site
from parley.chat.visitors.errors import VisitorIsOffline, VisitorNotFound
from parley.chat.visitors.model import Visitor
from parley.chat.visitors.ports import VisitorRepository
from parley.common.auth.identity import OperatorCaller
from parley.common.events.schemas import QuickReply
from parley.common.runtime.clock import Clock


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
class OperatorMessageService:
    conversations: ConversationRepository
    messages: MessageRepository
    visitors: VisitorRepository
    visitor_conversations: VisitorConversations
    sites: SiteSettingsReader
    presence: PresenceReader
    audit: AuditLog
    translator: MessageTranslator
    clock: Clock
    next_message_id: NextId

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
        for _ in range(MAX_ATTEMPTS):
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
        for _ in range(MAX_ATTEMPTS):
            # Whom an operator writes to is asked for nothing first.
            conversation = await self.visitor_conversations.get_or_open(visitor, None)
            entry = await build_audit_entry(self.audit, caller, conversation, "proactive")

            def add(current: Conversation, entry: AuditEntry = entry) -> Change | None:
                if not is_open_for(visitor, current):
                    return None
                change = transitions.add_operator_message(
                    current, draft, by, at, site.operator_timeout, site.silence_policy
                )
                return change.with_audit_entry(entry)

            change = await self.conversations.change(conversation.tenant_id, conversation.id, add)
            if change is not None:
                return change.messages[0]
        raise ConcurrentModification
