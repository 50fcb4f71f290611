"""What bulk actions do to one conversation. Each method returns what it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from parley.chat.actors import operator_ref
from parley.chat.bulk_actions.model import UndoStep
from parley.chat.conversations import transitions
from parley.chat.conversations.errors import ChangedSince
from parley.chat.conversations.model import Change, Conversation
from parley.chat.conversations.ports import TeamMember, Transition
from parley.chat.conversations.service import Changed, ConversationService, may_overrule
from parley.chat.teams.model import Team
from parley.chat.timeouts import MAX_SNOOZE
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import NotFound, ValidationFailed
from parley.common.events.schemas import OperatorRef, TeamRef
from parley.common.runtime.clock import to_rfc3339


@dataclass(frozen=True, slots=True)
class ConversationChanges:
    """Each method raises ConversationNotFound, and Forbidden without access to the site."""

    conversations: ConversationService

    async def get_assignee(self, caller: OperatorCaller, operator_id: int) -> TeamMember:
        """Raises NotFound."""
        member = await self.conversations.team.member(caller.tenant_id, operator_id)
        if member is None:
            raise NotFound
        return member

    async def close(self, caller: OperatorCaller, conversation_id: int) -> Changed:
        """Raises ConversationIsClosed, AssignedToAnother."""
        at, by = self.conversations.clock(), operator_ref(caller)

        async def build(conversation: Conversation) -> Transition:
            overrule = may_overrule(caller, conversation.site_id)
            return lambda current: transitions.close(current, by, at, overrule=overrule)

        return await self.conversations.apply(caller, conversation_id, "closed", build)

    async def assign(self, caller: OperatorCaller, conversation_id: int, member: TeamMember) -> Changed:
        """Give a conversation to an operator of its site, who may be the caller.

        Raises ValidationFailed, ConversationIsClosed, AssignedToAnother.
        """
        at, by, to = self.conversations.clock(), operator_ref(caller), OperatorRef(id=member.id, name=member.name)

        async def build(conversation: Conversation) -> Transition:
            if not member.may_chat_on(conversation.site_id):
                raise ValidationFailed({"operator_id": "is not on this site, or may not chat"})
            timeout, overrule = await self._get_timeout(conversation), may_overrule(caller, conversation.site_id)

            def assign(current: Conversation) -> Change:
                if current.operator is None and to.id == by.id:
                    return transitions.accept(current, by, at, timeout)
                return transitions.transfer(current, to, by, at, timeout, overrule=overrule)

            return assign

        return await self.conversations.apply(caller, conversation_id, "transferred", build)

    async def get_team(self, caller: OperatorCaller, team_id: int) -> Team:
        """Raises NotFound."""
        team = await self.conversations.teams.find(caller.tenant_id, team_id)
        if team is None:
            raise NotFound
        return team

    async def assign_to_team(self, caller: OperatorCaller, conversation_id: int, team: Team) -> Changed:
        """Put a conversation into the queue of a team of its site.

        Raises ValidationFailed, ConversationIsClosed, AssignedToAnother.
        """
        at, by, to = self.conversations.clock(), operator_ref(caller), TeamRef(id=team.id, name=team.name)

        async def build(conversation: Conversation) -> Transition:
            if conversation.site_id not in team.site_ids:
                raise ValidationFailed({"team_id": "is not a team of this site"})
            overrule = may_overrule(caller, conversation.site_id)
            return partial(transitions.transfer_to_team, team=to, by=by, at=at, overrule=overrule)

        return await self.conversations.apply(caller, conversation_id, "transferred", build)

    async def change_labels(
        self, caller: OperatorCaller, conversation_id: int, add: Sequence[int], remove: Sequence[int]
    ) -> Changed:
        """Raises ValidationFailed for labels that the conversation's site does not have."""
        at, by = self.conversations.clock(), operator_ref(caller)

        async def build(conversation: Conversation) -> Transition:
            await self.conversations.require_labels(conversation, add)
            return partial(transitions.change_labels, add=add, remove=remove, by=by, at=at)

        return await self.conversations.apply(caller, conversation_id, "labeled", build)

    async def snooze(self, caller: OperatorCaller, conversation_id: int, until: datetime) -> Changed:
        """Raises ValidationFailed, ConversationIsClosed, AssignedToAnother."""
        at, by = self.conversations.clock(), operator_ref(caller)

        async def build(conversation: Conversation) -> Transition:
            if until > at + MAX_SNOOZE:
                raise ValidationFailed({"until": "must be within a year"})
            overrule = may_overrule(caller, conversation.site_id)
            return partial(transitions.snooze, until=until, by=by, at=at, overrule=overrule)

        details = {"until": to_rfc3339(until)}
        return await self.conversations.apply(caller, conversation_id, "snoozed", build, details)

    async def unsnooze(self, caller: OperatorCaller, conversation_id: int) -> Changed:
        """Raises NotSnoozed, AssignedToAnother."""
        at, by = self.conversations.clock(), operator_ref(caller)

        async def build(conversation: Conversation) -> Transition:
            timeout, overrule = await self._get_timeout(conversation), may_overrule(caller, conversation.site_id)
            return partial(transitions.unsnooze, by=by, at=at, timeout=timeout, overrule=overrule)

        return await self.conversations.apply(caller, conversation_id, "unsnoozed", build)

    async def undo(self, caller: OperatorCaller, step: UndoStep) -> None:
        """Undo what an action changed in a conversation.

        Raises ChangedSince if the same was changed again, NewerConversation instead of reopening an older one.
        """
        at, by = self.conversations.clock(), operator_ref(caller)

        async def build(conversation: Conversation) -> Transition:
            if step.assignment is not None:
                return await self._build_restoring(caller, conversation, step)
            timeout = await self._get_timeout(conversation)
            added = await self._filter_usable(conversation, step.removed_labels)

            def restore(current: Conversation) -> Change:
                if step.snoozed_until == step.snoozed_until_before:
                    return transitions.change_labels(current, added, step.added_labels, by, at)
                present, before = step.snoozed_until, step.snoozed_until_before
                return transitions.restore_snooze(current, present, before, by, at, timeout)

            return restore

        await self.conversations.apply(caller, step.conversation_id, "restored", build)

    async def _build_restoring(self, caller: OperatorCaller, conversation: Conversation, step: UndoStep) -> Transition:
        at, by, assignment = self.conversations.clock(), operator_ref(caller), step.assignment
        assert assignment is not None
        if not conversation.open:
            await self.conversations.require_latest(conversation)
        if assignment.operator is not None:
            member = await self.conversations.team.member(caller.tenant_id, assignment.operator.id)
            if member is None or not member.may_chat_on(conversation.site_id):
                raise ChangedSince("The operator who had the conversation may not chat on the site any more.")
        if assignment.snoozed_until is not None and assignment.snoozed_until <= at:
            assignment = replace(assignment, snoozed_until=None)
        return partial(
            transitions.restore_assignment,
            assignment=assignment,
            generation=step.generation,
            by=by,
            at=at,
            timeout=await self._get_timeout(conversation),
        )

    async def _filter_usable(self, conversation: Conversation, label_ids: Sequence[int]) -> list[int]:
        """Without those that were deleted."""
        names = await self.conversations.labels.find_names(conversation.tenant_id, conversation.site_id, label_ids)
        return [label_id for label_id in label_ids if label_id in names]

    async def _get_timeout(self, conversation: Conversation) -> timedelta:
        return (await self.conversations.sites.get(conversation.tenant_id, conversation.site_id)).operator_timeout
