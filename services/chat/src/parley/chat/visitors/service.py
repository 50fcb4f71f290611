"""Visitor use cases: contact details, blocking, leads, and the rating of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parley.chat.actors import operator_ref
from parley.chat.audit.model import AuditEntry
from parley.chat.conversations import transitions
from parley.chat.conversations.errors import ConversationNotFound
from parley.chat.conversations.model import Change, Conversation
from parley.chat.conversations.ports import AuditLog, ConversationRepository
from parley.chat.forms.model import VisitorForm
from parley.chat.paging.model import ListPage, Position
from parley.chat.sites.site_settings import SiteSettingsReader, get_authorized_site
from parley.chat.visitors.errors import NothingToRate, VisitorIsBlocked, VisitorNotFound
from parley.chat.visitors.model import CONTACT_FIELDS, Visitor
from parley.chat.visitors.ports import VisitorRepository
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.events.schemas import BlockType, OperatorRef
from parley.common.runtime.clock import Clock

_MAX_UPDATED_CONVERSATIONS = 20


def require_not_blocked(visitor: Visitor) -> None:
    """Raises VisitorIsBlocked for a visitor who is blocked for both the AI and operators."""
    if visitor.blocked == "both":
        raise VisitorIsBlocked


def _entered(visitor: Visitor, details: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a visitor changes by what they enter."""
    given = {f"given.{name}": value for name, value in details.items()}
    # What the site's server has proved is not replaced by what somebody enters.
    unproved = {name: value for name, value in details.items() if name not in visitor.proved}
    return {**unproved, **given}


@dataclass(frozen=True, slots=True)
class VisitorService:
    visitors: VisitorRepository
    conversations: ConversationRepository
    sites: SiteSettingsReader
    audit: AuditLog
    clock: Clock

    async def get(self, caller: VisitorCaller) -> Visitor:
        """The calling visitor. Raises VisitorNotFound for a session that has never written anything."""
        visitor = await self.visitors.find(caller.tenant_id, caller.site_id, caller.session)
        if visitor is None:
            raise VisitorNotFound
        return visitor

    async def require_may_write(self, caller: VisitorCaller) -> None:
        """Raises VisitorIsBlocked. A visitor who is not known yet may write."""
        visitor = await self.visitors.find(caller.tenant_id, caller.site_id, caller.session)
        if visitor is not None:
            require_not_blocked(visitor)

    async def leave_contact_details(self, caller: VisitorCaller, details: Mapping[str, Any]) -> Visitor:
        """Store the name, e-mail address or telephone number that a visitor enters. Raises VisitorIsBlocked."""
        visitor = await self.visitors.get_or_create(caller.tenant_id, caller.site_id, caller.session, None)
        require_not_blocked(visitor)
        return await self._update(visitor, _entered(visitor, details), None)

    async def save_form(self, visitor: Visitor, details: Mapping[str, str], form: VisitorForm) -> Visitor:
        """Store what a visitor has answered in a form, with the contact details among it."""
        merged = form if visitor.form is None else visitor.form.merge(form)
        return await self._update(visitor, {**_entered(visitor, details), "form": merged}, None)

    async def update_person(self, person: Visitor, fields: Mapping[str, Any]) -> Visitor:
        """Store what the site's server has proved about a person. Makes no lead of them."""
        return await self._apply(person, fields, None)

    async def remove_silent(self) -> None:
        """Remove the visitors who came long ago and never wrote, left an address or were blocked."""
        while await self.visitors.remove_silent(self.clock()):
            pass

    async def update_details(
        self, caller: OperatorCaller, conversation_id: int, details: Mapping[str, Any]
    ) -> Conversation:
        """Store what an operator enters about a conversation's visitor. Raises ConversationNotFound, Forbidden."""
        conversation = await self._get_conversation(caller, conversation_id)
        entry = await self.audit.entry(
            caller,
            "visitor.updated",
            f"conversation:{conversation_id}",
            conversation.site_id,
            {"fields": sorted(details)},
        )
        # What an operator deletes is gone, also in the visitor's own words.
        deleted = {f"given.{name}": None for name in CONTACT_FIELDS if name in details and not details[name]}
        await self._update(conversation.visitor, {**details, **deleted}, operator_ref(caller), entry)
        return await self._get_conversation(caller, conversation_id)

    async def set_block(self, caller: OperatorCaller, conversation_id: int, block_type: BlockType | None) -> Visitor:
        """Block a visitor for the AI, for operators, or both; None unblocks. Raises ConversationNotFound, Forbidden."""
        conversation = await self._get_conversation(caller, conversation_id)
        fields = {"blocked": block_type, "blocked_at": self.clock() if block_type else None}
        action = "visitor.blocked" if block_type else "visitor.unblocked"
        target, site_id = f"conversation:{conversation_id}", conversation.site_id
        entry = await self.audit.entry(caller, action, target, site_id, {"block_type": block_type})
        return await self._update(conversation.visitor, fields, operator_ref(caller), entry)

    async def rate(
        self, caller: VisitorCaller, score: int, comment: str | None, conversation_id: int | None = None
    ) -> Conversation:
        """Rate one of the visitor's conversations; without an id, their latest.

        Raises VisitorNotFound, VisitorIsBlocked, ConversationNotFound, NothingToRate.
        """
        visitor = await self.get(caller)
        require_not_blocked(visitor)
        if conversation_id is None:
            rated = await self.conversations.find_latest(visitor)
        else:
            rated = await self.conversations.find(caller.tenant_id, conversation_id)
            if rated is None or rated.visitor.key != visitor.key:
                raise ConversationNotFound
        if rated is None:
            raise NothingToRate
        at = self.clock()
        change = await self.conversations.change(
            rated.tenant_id, rated.id, lambda current: transitions.rate(current, score, comment, at)
        )
        if change is None:
            raise NothingToRate
        return change.conversation

    async def list_blocked(
        self, caller: OperatorCaller, site_id: int, after: Position | None, limit: int
    ) -> ListPage[Visitor]:
        """A site's blocked visitors, the latest block first. Raises NotFound, Forbidden."""
        await get_authorized_site(self.sites, caller, site_id)
        return await self.visitors.list_blocked(caller.tenant_id, site_id, after, limit)

    async def list_leads(
        self, caller: OperatorCaller, site_id: int, after: Position | None, skip: int, limit: int
    ) -> ListPage[Visitor]:
        """A site's visitors who left contact details, newest first. Raises NotFound, Forbidden."""
        await get_authorized_site(self.sites, caller, site_id)
        return await self.visitors.list_leads(caller.tenant_id, site_id, after, skip, limit)

    async def _update(
        self, visitor: Visitor, fields: Mapping[str, Any], by: OperatorRef | None, entry: AuditEntry | None = None
    ) -> Visitor:
        """Update the visitor; one who now has an e-mail address or telephone number is a lead."""
        if visitor.lead_at is None and (fields.get("email") or fields.get("phone")):
            fields = {**fields, "lead_at": self.clock()}
        return await self._apply(visitor, fields, by, entry)

    async def _apply(
        self, visitor: Visitor, fields: Mapping[str, Any], by: OperatorRef | None, entry: AuditEntry | None = None
    ) -> Visitor:
        """Update the visitor, then the copy in each of their latest conversations.

        The visitor's own document is authoritative. If the process ends in between, the visitor's next update or
        message brings the copies up to date: the higher version wins.
        """
        updated = await self.visitors.update(visitor, fields)
        at = self.clock()

        def apply_update(current: Conversation) -> Change:
            return transitions.apply_visitor_update(current, updated, by, at).with_audit_entry(entry)

        for conversation in await self.conversations.list_for_visitor(updated, _MAX_UPDATED_CONVERSATIONS):
            await self.conversations.change(updated.tenant_id, conversation.id, apply_update)
        return updated

    async def _get_conversation(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        conversation = await self.conversations.find(caller.tenant_id, conversation_id)
        if conversation is None:
            raise ConversationNotFound
        caller.authorize(conversation.tenant_id, conversation.site_id)
        return conversation
