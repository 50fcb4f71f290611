"""Joins what an unidentified session has written to the history of the person whom the site has identified.

Of a person's conversations at most one is open, the one that they see. Where both have an open one, the one that began
later stays open, and the other ends; so two devices that identify at the same time agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from parley.chat.conversations import transitions
from parley.chat.conversations.errors import ConcurrentModification, NewerConversation
from parley.chat.conversations.model import Change, Conversation
from parley.chat.conversations.ports import ConversationRepository
from parley.chat.forms.model import VisitorForm
from parley.chat.identification.ports import SessionContent
from parley.chat.visitors.model import CONTACT_FIELDS, Visitor
from parley.chat.visitors.ports import VisitorRepository
from parley.chat.visitors.service import VisitorService
from parley.common.auth.identity import VisitorCaller
from parley.common.runtime.clock import Clock

_MAX_ATTEMPTS = 5
_BATCH = 50


@dataclass(frozen=True, slots=True)
class SessionJoiner:
    visitors: VisitorRepository
    visitor_service: VisitorService
    conversations: ConversationRepository
    content: SessionContent
    clock: Clock

    async def join(self, caller: VisitorCaller, person: Visitor) -> Visitor:
        """Join the caller's unidentified session to a person. Returns the person as they are then.

        Interrupted at any point, it is completed by the next call. Raises ConcurrentModification.
        """
        # Also of a visitor who has never written.
        await self.content.assign_triggers(caller.session, person)
        visitor = await self.visitors.find(caller.tenant_id, caller.site_id, caller.session)
        if visitor is not None and visitor.external_id is not None:
            return person
        await self.content.assign_uploads(caller.session, person)
        if visitor is None:
            return person
        additions = _additions(visitor, person)
        if additions:
            person = await self.visitor_service.update_person(person, additions)
        joined: list[int] = []
        while batch := await self.conversations.list_for_visitor(visitor, _BATCH):
            for conversation in batch:
                await self._join_conversation(conversation, person)
            joined += [conversation.id for conversation in batch]
        await self.content.assign_messages(joined, person)
        await self.visitors.remove_joined(visitor)
        return person

    async def _join_conversation(self, conversation: Conversation, person: Visitor) -> None:
        session, at = conversation.visitor.session, self.clock()
        for _ in range(_MAX_ATTEMPTS):
            other = await self.conversations.find_open(person)
            stays_open = other is None or _began_before(other, conversation)
            if conversation.open and other is not None and stays_open:
                await self.conversations.change(
                    other.tenant_id, other.id, lambda current: transitions.close_for_newer(current, at)
                )

            def join(current: Conversation, stays_open: bool = stays_open) -> Change | None:
                return transitions.join(current, session, person, at, stays_open=stays_open)

            try:
                await self.conversations.change(conversation.tenant_id, conversation.id, join)
            except NewerConversation:
                # Another device of the person has opened one meanwhile.
                continue
            return
        raise ConcurrentModification


def _began_before(one: Conversation, other: Conversation) -> bool:
    return (one.created_at, one.id) < (other.created_at, other.id)


def _merge_forms(one: VisitorForm, other: VisitorForm) -> VisitorForm:
    earlier, later = sorted((one, other), key=lambda form: form.answered_at)
    return earlier.merge(later)


def _additions(visitor: Visitor, person: Visitor) -> Mapping[str, Any]:
    """What is known of the unidentified visitor and not of the person. Nobody escapes a block by logging in."""
    fields: dict[str, Any] = {}
    for name in CONTACT_FIELDS:
        if getattr(visitor, name) and not getattr(person, name):
            fields[name] = getattr(visitor, name)
        if visitor.self_reported.get(name) and not person.self_reported.get(name):
            fields[f"given.{name}"] = visitor.self_reported[name]
    if not visitor.info.items() <= person.info.items():
        fields["info"] = {**visitor.info, **person.info}
    if visitor.form is not None:
        fields["form"] = visitor.form if person.form is None else _merge_forms(visitor.form, person.form)
    if visitor.language and not person.language:
        fields["language"] = visitor.language
    if visitor.lead_at and not person.lead_at:
        fields["lead_at"] = visitor.lead_at
    if visitor.blocked and person.blocked not in (visitor.blocked, "both"):
        fields["blocked"] = "both" if person.blocked else visitor.blocked
        fields["blocked_at"] = visitor.blocked_at
    return fields
