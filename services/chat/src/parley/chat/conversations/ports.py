"""What conversation use cases need from storage, the team, the audit log and the broker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from parley.chat.audit.model import AuditEntry
from parley.chat.conversations.model import Change, Conversation
from parley.chat.visitors.model import Visitor
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.events import Event

Transition = Callable[[Conversation], Change | None]
"""Maps the current conversation to a change; None for no change. Called again after a lost write, so it is pure."""


class ConversationRepository(Protocol):
    async def find(self, tenant_id: int, conversation_id: int) -> Conversation | None: ...

    async def find_snapshot(self, tenant_id: int, conversation_id: int) -> Conversation | None:
        """The conversation, possibly out of date: whatever is decided by it is checked again in a transition."""

    async def find_by_id(self, conversation_id: int) -> Conversation | None:
        """A conversation of any tenant: for requests and events of other services, which have no caller."""

    async def find_open(self, visitor: Visitor) -> Conversation | None:
        """The visitor's open conversation; a visitor has at most one."""

    async def find_open_snapshot(self, visitor: Visitor) -> Conversation | None:
        """The visitor's open conversation, possibly out of date (see `find_snapshot`)."""

    async def find_latest(self, visitor: Visitor) -> Conversation | None:
        """The visitor's open conversation, or else the one that began last: the one that they see."""

    async def list_for_visitor(self, visitor: Visitor, limit: int) -> Sequence[Conversation]:
        """Newest first."""

    async def create(self, change: Change) -> bool:
        """Insert a conversation. False if the visitor already has an open one."""

    async def change(self, tenant_id: int, conversation_id: int, transition: Transition) -> Change | None:
        """Apply a transition by compare-and-set. None if there is no such conversation, or no change.

        Raises what the transition raises, and ConcurrentModification.
        """

    async def get_generation(self, conversation_id: int) -> int | None: ...

    async def extend_reply_lease(self, conversation_id: int, seq: int, until: datetime) -> None:
        """Extend the lease of the reply to `seq` or to a later message; no effect without one."""

    async def list_operator_overdue(self, before: datetime, limit: int) -> Sequence[Conversation]:
        """Conversations whose `due_at` is not after `before`; those of another replica a little later."""

    async def list_assigned(self, tenant_id: int, operator_id: int, after: int, limit: int) -> Sequence[Conversation]:
        """An operator's conversations with an id above `after`, by id."""

    async def list_assignees(self) -> Sequence[Assignee]:
        """The operators of all tenants who have open conversations."""

    async def list_snoozes_ended(self, before: datetime, limit: int) -> Sequence[Conversation]:
        """Conversations whose snooze ended not after `before`; those of another replica a little later."""

    async def list_silence_due(self, before: datetime, limit: int) -> Sequence[Conversation]:
        """Conversations with a step of a visitor's silence due; those of another replica a little later."""

    async def list_labeled(self, tenant_id: int, label_id: int, limit: int) -> Sequence[int]:
        """The ids of some of the conversations that have a label."""

    async def list_expired_replies(self, before: datetime, limit: int) -> Sequence[Conversation]:
        """Conversations whose reply lease ended not after `before`; those of another replica a little later."""


@dataclass(frozen=True, slots=True)
class Assignee:
    """An operator who has open conversations, and the sites that these are of."""

    tenant_id: int
    operator_id: int
    site_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class TeamMember:
    """An operator, as a possible assignee of a conversation."""

    id: int
    tenant_id: int
    name: str
    sites: Mapping[int, frozenset[Permission]]
    active: bool = True
    capacity: int | None = None
    """Of their own; None for the default of the site."""

    def may_chat_on(self, site_id: int) -> bool:
        return self.active and Permission.CHAT in self.sites.get(site_id, frozenset())


class TeamMembers(Protocol):
    async def member(self, tenant_id: int, operator_id: int) -> TeamMember | None: ...
    async def on_site(self, tenant_id: int, site_id: int) -> Sequence[TeamMember]: ...


class LabelLookup(Protocol):
    async def find_names(self, tenant_id: int, site_id: int, label_ids: Sequence[int]) -> Mapping[int, str]:
        """The names of those of these labels that conversations of a site may have, by id."""


class AuditLog(Protocol):
    """Builds audit entries; the change that an entry describes is written together with it."""

    async def entry(
        self,
        caller: OperatorCaller,
        action: str,
        target: str,
        site_id: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> AuditEntry: ...


class MessageSearch(Protocol):
    async def find_conversations(self, tenant_id: int, site_ids: Sequence[int], text: str) -> Sequence[int]:
        """The conversations of the newest messages that have all words of a text; a bounded number."""


class EphemeralPublisher(Protocol):
    """Publishes an event to connected clients only; it is not stored, and lost without a broker."""

    async def __call__(self, event: Event) -> None: ...
