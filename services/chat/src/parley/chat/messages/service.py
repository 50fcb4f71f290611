"""What is said: by visitors and operators, each message once however often it is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from parley.chat.audit.service import Entry
from parley.chat.conversations import transitions
from parley.chat.conversations.away_notice import absence
from parley.chat.conversations.errors import (
    ConversationNotFound,
    KeyReused,
    TooBusy,
    VisitorIsBlocked,
    VisitorNotFound,
    VisitorOffline,
)
from parley.chat.conversations.model import RECENT_IDS, Change, Conversation, Draft, Message, Visitor
from parley.chat.conversations.ports import (
    Audit,
    ConversationStore,
    MessageStore,
    NextId,
    Sites,
    SiteSettings,
    Translator,
    VisitorStore,
    Whereabouts,
    Whisper,
)
from parley.chat.conversations.service import audit_entry, person
from parley.chat.visitors.service import refuse_blocked
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.events import Actor, new_event
from parley.common.events.messages import Typing
from parley.common.events.schemas import Mode
from parley.common.runtime.clock import Clock

_TRIES = 5


class _Outdated(Exception):
    """The conversation has changed since what is to be said was made up."""


@dataclass(frozen=True, slots=True)
class Received:
    """A visitor's message as it is kept, and whether it was there before."""

    conversation: Conversation
    message: Message | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Messages:
    conversations: ConversationStore
    messages: MessageStore
    visitors: VisitorStore
    sites: Sites
    whereabouts: Whereabouts
    audit: Audit
    whisper: Whisper
    translator: Translator
    clock: Clock
    next_conversation_id: NextId
    next_message_id: NextId

    async def send(
        self, caller: OperatorCaller, conversation_id: int, content: str, image_url: str | None, message_id: str | None
    ) -> Message:
        """An operator's message; takes over what nobody holds. Raises HeldByAnother, ConversationClosed."""
        known_as = f"operator:{caller.operator_id}:{message_id}" if message_id else None
        for _ in range(_TRIES):
            found = await self.conversations.recall(caller.tenant_id, conversation_id)
            if found is None:
                raise ConversationNotFound
            caller.authorize(found.tenant_id, found.site_id)
            if known_as is not None and found.last_seq > RECENT_IDS:
                before = await self.messages.said_before(found, known_as)
                if before is not None:
                    return _the_same(before, content, image_url)
            draft = await self._drafted(caller, found, content, image_url, known_as)
            try:
                change = await self._say(caller, found, draft)
            except _Outdated:
                continue
            if change is None:
                return _the_same(await self._said_before(found, known_as), content, image_url)
            return change.messages[0]
        raise TooBusy

    async def _drafted(
        self, caller: OperatorCaller, found: Conversation, content: str, image_url: str | None, known_as: str | None
    ) -> Draft:
        translation = await self.translator(found, content)
        return Draft(
            await self.next_message_id(),
            "operator",
            content,
            image_url,
            person(caller),
            known_as,
            translation=translation,
        )

    async def _say(self, caller: OperatorCaller, found: Conversation, draft: Draft) -> Change | None:
        """None where it was said before. Raises _Outdated where the conversation is not what the draft was made for."""
        timeout = (await self.sites.get(caller.tenant_id, found.site_id)).operator_timeout
        at, by = self.clock(), person(caller)
        # Messages are their own record; taking a conversation over by one is what the audit log tells.
        taken = await audit_entry(self.audit, caller, found, "accepted") if found.operator is None else None

        def say(now: Conversation) -> Change | None:
            if now.seq_of(draft.message_id) is not None:
                return None
            change = transitions.operator_says(now, draft, by, at, timeout)
            untold = now.operator is None and taken is None
            # What was said before `found` was looked for among the messages, what was said since is in `recent_ids`.
            unsought = draft.message_id is not None and (
                now.last_seq > found.last_seq + RECENT_IDS or found.last_seq <= RECENT_IDS < now.last_seq
            )
            if untold or unsought or now.translation != found.translation:
                raise _Outdated
            return change.audited(taken) if len(change.events) > 1 else change

        return await self.conversations.change(found.tenant_id, found.id, say)

    async def reach_out(self, caller: OperatorCaller, site_id: int, session: str, content: str) -> Message:
        """A proactive message to a visitor who is online now. Raises VisitorOffline, HeldByAnother."""
        site = await self.sites.get(caller.tenant_id, site_id)
        caller.authorize(site.tenant_id, site.id)
        known = await self.visitors.find(caller.tenant_id, site_id, session)
        if not await self.whereabouts.visitor_online(site_id, session):
            if known is None:
                raise VisitorNotFound
            raise VisitorOffline
        visitor = known or await self.visitors.ensure(caller.tenant_id, site_id, session, None)
        at, by = self.clock(), person(caller)
        draft = Draft(await self.next_message_id(), "operator", content, sender=by, proactive=True)
        for _ in range(_TRIES):
            conversation = await self._open_conversation(visitor, "ai")
            entry = await audit_entry(self.audit, caller, conversation, "proactive")

            def say(now: Conversation, entry: Entry = entry) -> Change | None:
                if not now.open:
                    return None
                return transitions.operator_says(now, draft, by, at, site.operator_timeout).audited(entry)

            change = await self.conversations.change(conversation.tenant_id, conversation.id, say)
            if change is not None:
                return change.messages[0]
        raise TooBusy

    async def receive(
        self,
        caller: VisitorCaller,
        content: str,
        *,
        image_url: str | None = None,
        message_id: str | None = None,
        language: str | None = None,
    ) -> Received:
        """A visitor's message; opens a conversation where none is open. Raises VisitorIsBlocked."""
        visitor = await self.visitors.ensure(caller.tenant_id, caller.site_id, caller.session, language)
        refuse_blocked(visitor)
        site = await self.sites.get(caller.tenant_id, caller.site_id)
        at = self.clock()
        draft = Draft(await self.next_message_id(), "visitor", content, image_url, message_id=message_id)
        to_person = visitor.blocked == "ai"
        nobody = await self._told_that_nobody_comes(visitor, site) if to_person else None

        def say(now: Conversation, found: Conversation) -> Change | None:
            if not now.open or now.seq_of(message_id) is not None:
                return None
            # What was said before `found` was looked for, what was said since is in `recent_ids`.
            if message_id is not None and now.last_seq > found.last_seq + RECENT_IDS:
                raise _Outdated
            if visitor.blocked == "operator" and now.mode != "ai":
                raise VisitorIsBlocked
            fresh = replace(now, visitor=visitor) if visitor.version > now.visitor.version else now
            return transitions.visitor_says(fresh, draft, at, site.operator_timeout, to_person=to_person, notice=nobody)

        for _ in range(_TRIES):
            found = self.conversations.recall_open(visitor) or await self.conversations.find_open(visitor)
            if message_id is not None:
                before = await self._received_before(visitor, message_id, found)
                if before is not None:
                    return before
            conversation = found or await self._open_conversation(visitor, "ai")
            try:
                change = await self.conversations.change(
                    conversation.tenant_id, conversation.id, partial(say, found=conversation)
                )
            except _Outdated:
                continue
            if change is not None:
                return Received(change.conversation, change.messages[0])
        raise TooBusy

    async def hand_off(self, caller: VisitorCaller) -> Conversation:
        """A visitor asks for a person. Raises VisitorIsBlocked."""
        visitor = await self.visitors.ensure(caller.tenant_id, caller.site_id, caller.session, None)
        refuse_blocked(visitor)
        if visitor.blocked == "operator":
            raise VisitorIsBlocked
        site = await self.sites.get(caller.tenant_id, caller.site_id)
        notice = await self._told_that_nobody_comes(visitor, site)
        at = self.clock()
        for _ in range(_TRIES):
            conversation = await self._open_conversation(visitor, "ai")
            change = await self.conversations.change(
                conversation.tenant_id,
                conversation.id,
                lambda now: transitions.hand_off(now, "asked", at, notice) if now.open else None,
            )
            if change is not None:
                return change.conversation
        raise TooBusy

    async def _told_that_nobody_comes(self, visitor: Visitor, site: SiteSettings) -> Draft | None:
        """What the visitor is told where nobody is there to be asked for; None where somebody is."""
        words = await absence(site, visitor.language, self.whereabouts, self.clock())
        return Draft(await self.next_message_id(), "system", words) if words is not None else None

    async def read(self, caller: VisitorCaller, seq: int) -> None:
        """The visitor has seen up to `seq` of the open conversation."""
        visitor = await self.visitors.find(caller.tenant_id, caller.site_id, caller.session)
        conversation = await self.conversations.find_latest(visitor) if visitor else None
        if conversation is None:
            raise VisitorNotFound
        at = self.clock()
        await self.conversations.change(
            conversation.tenant_id, conversation.id, lambda now: transitions.visitor_reads(now, seq, at)
        )

    async def show_typing(self, caller: VisitorCaller) -> None:
        """Let operators see that the visitor is writing."""
        visitor = await self.visitors.find(caller.tenant_id, caller.site_id, caller.session)
        if visitor is None:
            raise VisitorNotFound
        refuse_blocked(visitor)
        conversation = await self.conversations.find_open(visitor)
        if conversation is None:
            return
        await self.whisper(
            new_event(
                Typing(role="visitor", name=visitor.name),
                tenant_id=visitor.tenant_id,
                site_id=visitor.site_id,
                conversation_id=conversation.id,
                session=visitor.session,
                actor=Actor(kind="visitor", name=visitor.name),
            )
        )

    async def _open_conversation(self, visitor: Visitor, mode: Mode) -> Conversation:
        """The visitor's open conversation; a new one that knows the last where none is open."""
        for _ in range(_TRIES):
            found = await self.conversations.find_open(visitor)
            if found is not None:
                return found
            latest = await self.conversations.find_latest(visitor)
            change = transitions.open_by_visitor(
                visitor, await self.next_conversation_id(), latest.id if latest else None, mode, self.clock()
            )
            if await self.conversations.create(change):
                return change.conversation
        raise TooBusy

    async def _received_before(self, visitor: Visitor, message_id: str, found: Conversation | None) -> Received | None:
        """What was received under an id: in the visitor's open conversation, or in one before it."""
        if found is None:
            message = await self.messages.by_message_id(visitor, message_id)
        elif (seq := found.seq_of(message_id)) is not None:
            said = await self.messages.of_conversation(found, after_seq=seq - 1, limit=1)
            return Received(found, said[0] if said else None, again=True)
        else:
            message = await self.messages.said_before(found, message_id)
        if message is None:
            return None
        conversation = await self.conversations.find(visitor.tenant_id, message.conversation_id)
        return Received(conversation, message, again=True) if conversation else None

    async def _said_before(self, conversation: Conversation, known_as: str | None) -> Message:
        latest = await self.conversations.find(conversation.tenant_id, conversation.id)
        if latest is None:
            raise ConversationNotFound
        seq = latest.seq_of(known_as)
        if seq is None:
            raise TooBusy
        found = await self.messages.of_conversation(latest, after_seq=seq - 1, limit=1)
        if not found:
            raise TooBusy
        return found[0]


def _the_same(before: Message, content: str, image_url: str | None) -> Message:
    """What was said under a key the first time. Raises KeyReused where it is not what is said now."""
    if before.content != content or before.image_url != image_url:
        raise KeyReused
    return before
