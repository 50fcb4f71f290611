"""What operators do with conversations: accept, transfer, release, close, reopen, label, snooze, note and so on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from parley.chat.actors import operator_actor, operator_ref
from parley.chat.audit.model import AuditEntry
from parley.chat.conversations import events, transitions
from parley.chat.conversations.errors import (
    AssignedToAnother,
    ConversationIsClosed,
    ConversationNotFound,
    NewerConversation,
)
from parley.chat.conversations.model import Change, Conversation, TranslationState
from parley.chat.conversations.ports import (
    AuditLog,
    ConversationRepository,
    EphemeralPublisher,
    LabelLookup,
    TeamMembers,
    Transition,
)
from parley.chat.ids import NextId
from parley.chat.messages.model import Note
from parley.chat.sites.site_settings import SiteSettingsReader
from parley.chat.teams.ports import TeamLookup
from parley.chat.timeouts import MAX_SNOOZE
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.errors import NotFound, ValidationFailed
from parley.common.events.messages import ViewerState
from parley.common.events.schemas import OperatorRef, TeamRef
from parley.common.runtime.clock import Clock, to_rfc3339


@dataclass(frozen=True, slots=True)
class Changed:
    """A conversation before and after a change; both are the same object if nothing was changed."""

    before: Conversation
    after: Conversation

    @property
    def anything(self) -> bool:
        return self.before is not self.after


@dataclass(frozen=True, slots=True)
class ConversationService:
    """Each method with a caller raises ConversationNotFound, and Forbidden without access to the site."""

    conversations: ConversationRepository
    sites: SiteSettingsReader
    team: TeamMembers
    labels: LabelLookup
    audit: AuditLog
    publish_ephemeral: EphemeralPublisher
    clock: Clock
    next_note_id: NextId
    teams: TeamLookup

    async def accept(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        """Assign a conversation to the caller. Raises AssignedToAnother, ConversationIsClosed."""
        conversation = await self._find(caller, conversation_id)
        timeout = (await self.sites.get(caller.tenant_id, conversation.site_id)).operator_timeout
        at, by = self.clock(), operator_ref(caller)
        return await self._change(
            caller, conversation, "accepted", lambda current: transitions.accept(current, by, at, timeout)
        )

    async def transfer(self, caller: OperatorCaller, conversation_id: int, to_operator_id: int) -> Conversation:
        """Assign a conversation to another operator of its site, online or not.

        Raises ValidationFailed, NotFound, AssignedToAnother, ConversationIsClosed.
        """
        conversation = await self._find(caller, conversation_id)
        if to_operator_id == caller.operator_id:
            raise ValidationFailed({"operator_id": "is yourself"})
        member = await self.team.member(caller.tenant_id, to_operator_id)
        if member is None:
            raise NotFound
        if not member.may_chat_on(conversation.site_id):
            raise ValidationFailed({"operator_id": "is not on this site, or may not chat"})
        timeout = (await self.sites.get(caller.tenant_id, conversation.site_id)).operator_timeout
        at, by, to = self.clock(), operator_ref(caller), OperatorRef(id=member.id, name=member.name)
        overrule = may_overrule(caller, conversation.site_id)
        return await self._change(
            caller,
            conversation,
            "transferred",
            lambda current: transitions.transfer(current, to, by, at, timeout, overrule=overrule),
        )

    async def transfer_to_team(self, caller: OperatorCaller, conversation_id: int, team_id: int) -> Conversation:
        """Put a conversation into the queue of a team of its site.

        Raises ValidationFailed, AssignedToAnother, ConversationIsClosed.
        """
        conversation = await self._find(caller, conversation_id)
        team = await self.teams.find(caller.tenant_id, team_id)
        if team is None or conversation.site_id not in team.site_ids:
            raise ValidationFailed({"team_id": "is not a team of this site"})
        at, by, to = self.clock(), operator_ref(caller), TeamRef(id=team.id, name=team.name)
        overrule = may_overrule(caller, conversation.site_id)
        return await self._change(
            caller,
            conversation,
            "transferred",
            lambda current: transitions.transfer_to_team(current, to, by, at, overrule=overrule),
        )

    async def release(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        """Return a conversation to the AI. Raises NotAssigned, AssignedToAnother, ConversationIsClosed."""
        conversation = await self._find(caller, conversation_id)
        at, by, overrule = self.clock(), operator_ref(caller), may_overrule(caller, conversation.site_id)
        return await self._change(
            caller, conversation, "released", lambda current: transitions.release(current, by, at, overrule=overrule)
        )

    async def close(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        """Raises ConversationIsClosed, AssignedToAnother."""
        conversation = await self._find(caller, conversation_id)
        at, by, overrule = self.clock(), operator_ref(caller), may_overrule(caller, conversation.site_id)
        return await self._change(
            caller, conversation, "closed", lambda current: transitions.close(current, by, at, overrule=overrule)
        )

    async def reopen(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        """Assign a closed conversation to the caller, if it is its visitor's latest.

        A visitor sees one conversation: of two, the older one would be lost to them. Raises NewerConversation,
        ConversationIsOpen, AssignedToAnother.
        """
        conversation = await self._find(caller, conversation_id)
        await self._require_latest(conversation)
        timeout = (await self.sites.get(caller.tenant_id, conversation.site_id)).operator_timeout
        at, by = self.clock(), operator_ref(caller)
        try:
            return await self._change(
                caller, conversation, "reopened", lambda current: transitions.reopen(current, by, at, timeout)
            )
        except NewerConversation:
            # The visitor has opened it since.
            await self._require_latest(conversation)
            raise

    async def set_labels(self, caller: OperatorCaller, conversation_id: int, label_ids: Sequence[int]) -> Conversation:
        """Replace the labels of a conversation, also of a closed one or another operator's. Raises ValidationFailed."""
        conversation = await self._find(caller, conversation_id)
        names = await self.require_labels(conversation, label_ids)
        at, by = self.clock(), operator_ref(caller)
        return await self._change(
            caller,
            conversation,
            "labeled",
            lambda current: transitions.set_labels(current, label_ids, by, at),
            {"labels": sorted(names.values())},
        )

    async def require_labels(self, conversation: Conversation, label_ids: Sequence[int]) -> Mapping[int, str]:
        """The names of labels, by id. Raises ValidationFailed for one that the conversation's site does not have."""
        names = await self.labels.find_names(conversation.tenant_id, conversation.site_id, label_ids)
        unknown = [label_id for label_id in label_ids if label_id not in names]
        if unknown:
            raise ValidationFailed({"labels": f"the site has no label {unknown[0]}"})
        return names

    async def snooze(self, caller: OperatorCaller, conversation_id: int, until: datetime) -> Conversation:
        """Leave a conversation out of the lists of open ones until a time, or until its visitor writes.

        Raises ValidationFailed, ConversationIsClosed, AssignedToAnother.
        """
        conversation = await self._find(caller, conversation_id)
        at, by, overrule = self.clock(), operator_ref(caller), may_overrule(caller, conversation.site_id)
        if until > at + MAX_SNOOZE:
            raise ValidationFailed({"until": "must be within a year"})
        return await self._change(
            caller,
            conversation,
            "snoozed",
            lambda current: transitions.snooze(current, until, by, at, overrule=overrule),
            {"until": to_rfc3339(until)},
        )

    async def unsnooze(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        """End a snooze before its time. Raises NotSnoozed, AssignedToAnother."""
        conversation = await self._find(caller, conversation_id)
        timeout = (await self.sites.get(caller.tenant_id, conversation.site_id)).operator_timeout
        at, by, overrule = self.clock(), operator_ref(caller), may_overrule(caller, conversation.site_id)
        return await self._change(
            caller,
            conversation,
            "unsnoozed",
            lambda current: transitions.unsnooze(current, by, at, timeout, overrule=overrule),
        )

    async def mark_read(self, caller: OperatorCaller, conversation_id: int, seq: int) -> Conversation:
        """Mark messages up to `seq` as read; the visitor sees it. Raises ValidationFailed."""
        conversation = await self._find(caller, conversation_id)
        at, by = self.clock(), operator_ref(caller)
        return await self._change(
            caller, conversation, None, lambda current: transitions.mark_read_by_operator(current, seq, by, at)
        )

    async def add_note(
        self, caller: OperatorCaller, conversation_id: int, content: str, mentions: Sequence[int] = ()
    ) -> Note:
        """Add a private note, also to a closed conversation. It calls the operators in `mentions`.

        Raises ValidationFailed if one of them may not see the conversation.
        """
        conversation = await self._find(caller, conversation_id)
        if mentions:
            members = await self.team.on_site(conversation.tenant_id, conversation.site_id)
            may_see = {
                member.id
                for member in members
                if Permission.VIEW in member.sites.get(conversation.site_id, frozenset())
            }
            if not may_see.issuperset(mentions):
                raise ValidationFailed({"mentions": "must be operators who may see the conversation"})
        at = self.clock()
        note = Note(
            id=await self.next_note_id(),
            tenant_id=conversation.tenant_id,
            site_id=conversation.site_id,
            conversation_id=conversation.id,
            content=content,
            author=operator_ref(caller),
            created_at=at,
            mentions=tuple(dict.fromkeys(mentions)),
        )
        await self._change(caller, conversation, "noted", lambda current: transitions.add_note(current, note, at))
        return note

    async def show_typing(self, caller: OperatorCaller, conversation_id: int) -> None:
        """Show the visitor that the caller is typing. Raises AssignedToAnother, ConversationIsClosed."""
        conversation = await self._find(caller, conversation_id)
        assigned = conversation.operator
        if not conversation.open:
            raise ConversationIsClosed
        if assigned is not None and assigned.id != caller.operator_id:
            raise AssignedToAnother(assigned.id, assigned.name)
        await self.publish_ephemeral(events.typing(conversation, operator_actor(caller)))

    async def show_viewing(self, caller: OperatorCaller, conversation_id: int, state: ViewerState) -> None:
        """Show other operators that the caller looks at a conversation, writes in it or has left it."""
        conversation = await self._find(caller, conversation_id)
        await self.publish_ephemeral(events.viewers(conversation, operator_ref(caller), state))

    async def apply(
        self,
        caller: OperatorCaller,
        conversation_id: int,
        action: str,
        build: Callable[[Conversation], Awaitable[Transition]],
        details: Mapping[str, Any] | None = None,
    ) -> Changed:
        """Apply a transition that is built for the conversation, audited as `action`.

        Returns what it changed, which changes at the same moment are no part of. Raises what the transition raises.
        """
        conversation = await self._find(caller, conversation_id)
        transition, before = await build(conversation), conversation

        def remember(current: Conversation) -> Change | None:
            nonlocal before
            before = current
            return transition(current)

        after = await self._change(caller, conversation, action, remember, details)
        # The transition was given the version that a change would have.
        return Changed(before, after) if after.version == before.version else Changed(after, after)

    async def require_latest(self, conversation: Conversation) -> None:
        """Check that a conversation is its visitor's latest. Raises NewerConversation."""
        await self._require_latest(conversation)

    async def apply_translation_update(
        self, tenant_id: int, conversation_id: int, translation: TranslationState
    ) -> None:
        """Store how the translate service translates a conversation; no effect if the conversation was erased."""
        at = self.clock()
        await self.conversations.change(
            tenant_id,
            conversation_id,
            lambda current: transitions.apply_translation_update(current, translation, at),
        )

    async def _find(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        conversation = await self.conversations.find(caller.tenant_id, conversation_id)
        if conversation is None:
            raise ConversationNotFound
        caller.authorize(conversation.tenant_id, conversation.site_id)
        return conversation

    async def _require_latest(self, conversation: Conversation) -> None:
        latest = await self.conversations.find_latest(conversation.visitor)
        if latest is not None and latest.id != conversation.id:
            raise NewerConversation(conversation_id=latest.id)

    async def _change(
        self,
        caller: OperatorCaller,
        conversation: Conversation,
        action: str | None,
        transition: Transition,
        details: Mapping[str, Any] | None = None,
    ) -> Conversation:
        entry = await build_audit_entry(self.audit, caller, conversation, action, details) if action else None

        def with_audit_entry(current: Conversation) -> Change | None:
            change = transition(current)
            return change and change.with_audit_entry(entry)

        change = await self.conversations.change(conversation.tenant_id, conversation.id, with_audit_entry)
        if change is None:
            raise ConversationNotFound
        return change.conversation


async def build_audit_entry(
    audit: AuditLog,
    caller: OperatorCaller,
    conversation: Conversation,
    action: str,
    details: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """The audit entry of something done to a conversation."""
    target = f"conversation:{conversation.id}"
    return await audit.entry(caller, f"conversation.{action}", target, conversation.site_id, details)


def may_overrule(caller: OperatorCaller, site_id: int) -> bool:
    """Managers of a site may change conversations that other operators have."""
    return Permission.MANAGE in caller.sites.get(site_id, frozenset())
