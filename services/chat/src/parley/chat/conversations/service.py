"""What operators do with conversations: accept, transfer, release, close, read, note, and show they are typing."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.audit.service import Entry
from parley.chat.conversations import transitions
from parley.chat.conversations.errors import ConversationClosed, ConversationNotFound, HeldByAnother
from parley.chat.conversations.model import Change, Conversation, Note
from parley.chat.conversations.ports import Audit, ConversationStore, NextId, Sites, Team, Transition, Whisper
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.errors import Invalid, NotFound
from parley.common.events import Actor, new_event
from parley.common.events.messages import Typing
from parley.common.events.schemas import Person
from parley.common.runtime.clock import Clock


def person(caller: OperatorCaller) -> Person:
    return Person(id=caller.operator_id, name=caller.name)


def may_overrule(caller: OperatorCaller, site_id: int) -> bool:
    """Whoever manages a site may take a conversation out of another's hands."""
    return Permission.MANAGE in caller.sites.get(site_id, frozenset())


@dataclass(frozen=True, slots=True)
class Conversations:
    store: ConversationStore
    sites: Sites
    team: Team
    audit: Audit
    whisper: Whisper
    clock: Clock
    next_note_id: NextId

    async def find(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        """A conversation that the caller may work with. Raises ConversationNotFound, Forbidden."""
        conversation = await self.store.find(caller.tenant_id, conversation_id)
        if conversation is None:
            raise ConversationNotFound
        caller.authorize(conversation.tenant_id, conversation.site_id)
        return conversation

    async def accept(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        """Take a conversation over. Raises HeldByAnother, ConversationClosed."""
        conversation = await self.find(caller, conversation_id)
        timeout = (await self.sites.get(caller.tenant_id, conversation.site_id)).operator_timeout
        at, by = self.clock(), person(caller)
        return await self._change(
            caller, conversation, "accepted", lambda now: transitions.accept(now, by, at, timeout)
        )

    async def transfer(self, caller: OperatorCaller, conversation_id: int, to_operator_id: int) -> Conversation:
        """Pass a conversation to another operator of its site, online or not.

        Raises Invalid, NotFound, HeldByAnother.
        """
        conversation = await self.find(caller, conversation_id)
        if to_operator_id == caller.operator_id:
            raise Invalid({"operator_id": "is yourself"})
        member = await self.team.member(caller.tenant_id, to_operator_id)
        if member is None:
            raise NotFound
        if not member.active or Permission.CHAT not in member.sites.get(conversation.site_id, frozenset()):
            raise Invalid({"operator_id": "is not on this site, or may not chat"})
        timeout = (await self.sites.get(caller.tenant_id, conversation.site_id)).operator_timeout
        at, by, to = self.clock(), person(caller), Person(id=member.id, name=member.name)
        overrule = may_overrule(caller, conversation.site_id)
        return await self._change(
            caller,
            conversation,
            "transferred",
            lambda now: transitions.transfer(now, to, by, at, timeout, overrule=overrule),
        )

    async def release(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        """Give a conversation back to the AI. Raises NotHeld, HeldByAnother."""
        conversation = await self.find(caller, conversation_id)
        at, by, overrule = self.clock(), person(caller), may_overrule(caller, conversation.site_id)
        return await self._change(
            caller, conversation, "released", lambda now: transitions.release(now, by, at, overrule=overrule)
        )

    async def close(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        """End a conversation. Raises ConversationClosed, HeldByAnother."""
        conversation = await self.find(caller, conversation_id)
        at, by, overrule = self.clock(), person(caller), may_overrule(caller, conversation.site_id)
        return await self._change(
            caller, conversation, "closed", lambda now: transitions.close(now, by, at, overrule=overrule)
        )

    async def read(self, caller: OperatorCaller, conversation_id: int, seq: int) -> Conversation:
        """Mark read up to a message; the visitor sees it."""
        conversation = await self.find(caller, conversation_id)
        at, by = self.clock(), person(caller)
        return await self._change(caller, conversation, None, lambda now: transitions.operator_reads(now, seq, by, at))

    async def note(self, caller: OperatorCaller, conversation_id: int, content: str) -> Note:
        """Add a private note."""
        conversation = await self.find(caller, conversation_id)
        at = self.clock()
        written = Note(
            id=await self.next_note_id(),
            tenant_id=conversation.tenant_id,
            site_id=conversation.site_id,
            conversation_id=conversation.id,
            content=content,
            author=person(caller),
            created_at=at,
        )
        await self._change(caller, conversation, "noted", lambda now: transitions.note(now, written, at))
        return written

    async def show_typing(self, caller: OperatorCaller, conversation_id: int) -> None:
        """Let the visitor see that an operator is writing. Raises HeldByAnother, ConversationClosed."""
        conversation = await self.find(caller, conversation_id)
        holder = conversation.operator
        if not conversation.open:
            raise ConversationClosed
        if holder is not None and holder.id != caller.operator_id:
            raise HeldByAnother(holder.id, holder.name)
        await self.whisper(
            new_event(
                Typing(role="operator", name=caller.name),
                tenant_id=conversation.tenant_id,
                site_id=conversation.site_id,
                conversation_id=conversation.id,
                session=conversation.visitor.session,
                actor=Actor(kind="operator", id=caller.operator_id, name=caller.name),
            )
        )

    async def _change(
        self, caller: OperatorCaller, conversation: Conversation, action: str | None, transition: Transition
    ) -> Conversation:
        entry = await audit_entry(self.audit, caller, conversation, action) if action else None

        def audited(now: Conversation) -> Change | None:
            change = transition(now)
            return change and change.audited(entry)

        change = await self.store.change(conversation.tenant_id, conversation.id, audited)
        if change is None:
            raise ConversationNotFound
        return change.conversation


async def audit_entry(audit: Audit, caller: OperatorCaller, conversation: Conversation, action: str) -> Entry:
    """The audit log's line for something done to a conversation."""
    target = f"conversation:{conversation.id}"
    return await audit.entry(caller, f"conversation.{action}", target, conversation.site_id)
