"""Visitors: what is known of them, whether they are blocked, what they leave behind (an address, a score)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parley.chat.audit.service import Entry
from parley.chat.conversations import transitions
from parley.chat.conversations.errors import ConversationNotFound, NothingToRate, VisitorIsBlocked, VisitorNotFound
from parley.chat.conversations.model import Change, Conversation, Visitor
from parley.chat.conversations.ports import Audit, ConversationStore, VisitorStore
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.events.schemas import BlockType, Person
from parley.common.runtime.clock import Clock


def refuse_blocked(visitor: Visitor) -> None:
    """A visitor blocked for both gets nowhere. Raises VisitorIsBlocked."""
    if visitor.blocked == "both":
        raise VisitorIsBlocked


@dataclass(frozen=True, slots=True)
class Visitors:
    conversations: ConversationStore
    visitors: VisitorStore
    audit: Audit
    clock: Clock

    async def known(self, caller: VisitorCaller) -> Visitor:
        """The calling visitor. Raises VisitorNotFound for a session that was never here."""
        visitor = await self.visitors.find(caller.tenant_id, caller.site_id, caller.session)
        if visitor is None:
            raise VisitorNotFound
        return visitor

    async def leave_details(self, caller: VisitorCaller, details: Mapping[str, Any]) -> Visitor:
        """A visitor says who they are: name, e-mail address, telephone."""
        visitor = await self.visitors.ensure(caller.tenant_id, caller.site_id, caller.session, None)
        refuse_blocked(visitor)
        return await self._change(visitor, details, None)

    async def describe(self, caller: OperatorCaller, conversation_id: int, details: Mapping[str, Any]) -> Conversation:
        """An operator writes down what they know of a visitor."""
        conversation = await self._conversation(caller, conversation_id)
        entry = await self.audit.entry(
            caller,
            "visitor.updated",
            f"conversation:{conversation_id}",
            conversation.site_id,
            {"fields": sorted(details)},
        )
        await self._change(conversation.visitor, details, Person(id=caller.operator_id, name=caller.name), entry)
        return await self._conversation(caller, conversation_id)

    async def block(self, caller: OperatorCaller, conversation_id: int, block_type: BlockType | None) -> Visitor:
        """Block a visitor for the AI, for operators or both; None lets them in again."""
        conversation = await self._conversation(caller, conversation_id)
        by = Person(id=caller.operator_id, name=caller.name)
        fields = {"blocked": block_type, "blocked_at": self.clock() if block_type else None}
        action = "visitor.blocked" if block_type else "visitor.unblocked"
        target, site_id = f"conversation:{conversation_id}", conversation.site_id
        entry = await self.audit.entry(caller, action, target, site_id, {"block_type": block_type})
        return await self._change(conversation.visitor, fields, by, entry)

    async def rate(self, caller: VisitorCaller, score: int, comment: str | None) -> Conversation:
        """A score for the visitor's latest conversation. Raises NothingToRate."""
        visitor = await self.known(caller)
        refuse_blocked(visitor)
        latest = await self.conversations.find_latest(visitor)
        if latest is None:
            raise NothingToRate
        at = self.clock()
        change = await self.conversations.change(
            latest.tenant_id, latest.id, lambda now: transitions.rate(now, score, comment, at)
        )
        if change is None:
            raise NothingToRate
        return change.conversation

    async def _change(
        self, visitor: Visitor, fields: Mapping[str, Any], by: Person | None, entry: Entry | None = None
    ) -> Visitor:
        """Change the visitor, then every conversation of theirs that is still worked with.

        The visitor's own document is the truth. Should we die in between, the next change of the visitor or the
        next message brings the conversation up to date: the higher version wins.
        """
        if visitor.lead_at is None and (fields.get("email") or fields.get("phone")):
            fields = {**fields, "lead_at": self.clock()}
        after = await self.visitors.change(visitor, fields)
        at = self.clock()

        def know(now: Conversation) -> Change:
            return transitions.know_visitor(now, after, by, at).audited(entry)

        for conversation in await self.conversations.of_visitor(after, 20):
            await self.conversations.change(after.tenant_id, conversation.id, know)
        return after

    async def _conversation(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        conversation = await self.conversations.find(caller.tenant_id, conversation_id)
        if conversation is None:
            raise ConversationNotFound
        caller.authorize(conversation.tenant_id, conversation.site_id)
        return conversation
