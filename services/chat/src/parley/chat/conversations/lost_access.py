"""Returns conversations to the queue when their operator is removed or suspended, or may no longer chat on the site."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from parley.chat import metrics
from parley.chat.conversations import transitions
from parley.chat.conversations.ports import ConversationRepository, TeamMember, TeamMembers
from parley.common.runtime.clock import Clock

_BATCH_SIZE = 100


@dataclass(frozen=True, slots=True)
class LostAccess:
    conversations: ConversationRepository
    team: TeamMembers
    clock: Clock

    async def return_conversations(self, tenant_id: int, operator_id: int) -> int:
        """Requeue the operator's conversations on sites that they can no longer access; return the count.

        Decided by what is stored now, so that events that arrive late or twice do no harm.
        """
        member = await self.team.member(tenant_id, operator_id)
        returned, after = 0, 0
        while batch := await self.conversations.list_assigned(tenant_id, operator_id, after, _BATCH_SIZE):
            for conversation in batch:
                if member is not None and member.may_chat_on(conversation.site_id):
                    continue
                leave = partial(
                    transitions.return_to_queue, operator_id=operator_id, reason=_reason(member), at=self.clock()
                )
                if await self.conversations.change(tenant_id, conversation.id, leave) is not None:
                    metrics.RETURNED_CONVERSATIONS.inc()
                    returned += 1
            after = batch[-1].id
        return returned

    async def return_orphaned(self) -> int:
        """Requeue the conversations of all operators who can no longer access their sites; return the count.

        A conversation may be assigned in the moment in which its operator is removed, after what they had was returned.
        """
        returned = 0
        for assignee in await self.conversations.list_assignees():
            member = await self.team.member(assignee.tenant_id, assignee.operator_id)
            if member is None or not all(member.may_chat_on(site_id) for site_id in assignee.site_ids):
                returned += await self.return_conversations(assignee.tenant_id, assignee.operator_id)
        return returned


def _reason(member: TeamMember | None) -> str:
    if member is None:
        return "operator_removed"
    return "operator_lost_access" if member.active else "operator_suspended"
