"""What operators look at: the queue, the counts, who could take over, the archive, leads, ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from parley.chat.conversations.model import Conversation, Message, Note, Visitor
from parley.chat.conversations.ports import ConversationStore, MessageStore, Sites, Team, Whereabouts
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.events.schemas import Mode


@dataclass(frozen=True, slots=True)
class Colleague:
    """An operator of a site, as somebody to transfer to."""

    id: int
    name: str
    online: bool
    active_chats: int


@dataclass(frozen=True, slots=True)
class ArchiveFilter:
    """Which of a site's conversations are meant."""

    modes: Sequence[Mode] = ()
    search: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    operator_id: int | None = None
    """Who has held it at some time."""


@dataclass(frozen=True, slots=True)
class RatingStats:
    count: int
    average: float | None
    by_score: Mapping[int, int]


class ListStore(Protocol):
    """Lists, each from an index. Positions are opaque to the domain: what the store gave for the last row."""

    async def queue(
        self, tenant_id: int, site_ids: Sequence[int], modes: Sequence[Mode], after: Sequence[Any] | None, limit: int
    ) -> tuple[Sequence[Conversation], Sequence[Any] | None]: ...
    async def counts(self, tenant_id: int, site_ids: Sequence[int]) -> Mapping[int, Mapping[Mode, int]]:
        """How many conversations of each site wait for a person or are held by one, by mode; none of the AI's."""

    async def held_counts(self, tenant_id: int, site_id: int) -> Mapping[int, int]: ...
    async def archive(
        self, tenant_id: int, site_id: int, wanted: ArchiveFilter, after: Sequence[Any] | None, skip: int, limit: int
    ) -> tuple[Sequence[Conversation], Sequence[Any] | None]: ...
    async def archive_count(self, tenant_id: int, site_id: int, wanted: ArchiveFilter) -> int: ...
    async def blocked(
        self, tenant_id: int, site_id: int, after: Sequence[Any] | None, limit: int
    ) -> tuple[Sequence[Visitor], Sequence[Any] | None]: ...
    async def leads(
        self, tenant_id: int, site_id: int, after: Sequence[Any] | None, skip: int, limit: int
    ) -> tuple[Sequence[Visitor], Sequence[Any] | None]: ...
    async def lead_count(self, tenant_id: int, site_id: int) -> int: ...
    async def rated(
        self, tenant_id: int, site_id: int, after: Sequence[Any] | None, limit: int
    ) -> tuple[Sequence[Conversation], Sequence[Any] | None]: ...
    async def rating_stats(self, tenant_id: int, site_id: int, since: datetime | None) -> RatingStats: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation as its own page shows it."""

    conversation: Conversation
    messages: Sequence[Message]
    notes: Sequence[Note]
    previous: Sequence[Conversation]


@dataclass(frozen=True, slots=True)
class Lists:
    store: ListStore
    conversations: ConversationStore
    messages: MessageStore
    sites: Sites
    team: Team
    whereabouts: Whereabouts

    async def authorize(self, caller: OperatorCaller, site_id: int) -> None:
        """The site is the caller's to look at. Raises NotFound, Forbidden."""
        site = await self.sites.get(caller.tenant_id, site_id)
        caller.authorize(site.tenant_id, site.id)

    async def colleagues(self, caller: OperatorCaller, site_id: int) -> Sequence[Colleague]:
        """Who could take a conversation of this site: online first, then by name."""
        await self.authorize(caller, site_id)
        online = await self.whereabouts.operators_online(site_id)
        held = await self.store.held_counts(caller.tenant_id, site_id)
        found = [
            Colleague(member.id, member.name, member.id in online, held.get(member.id, 0))
            for member in await self.team.on_site(caller.tenant_id, site_id)
            if member.active and Permission.CHAT in member.sites.get(site_id, frozenset())
        ]
        return sorted(found, key=lambda colleague: (not colleague.online, colleague.name.casefold(), colleague.id))

    async def open(self, conversation: Conversation, before_seq: int | None, limit: int) -> Opened:
        """A conversation with its messages, notes and the visitor's earlier ones."""
        return Opened(
            conversation,
            await self.messages.of_conversation(conversation, before_seq=before_seq, limit=limit),
            await self.messages.notes_of(conversation),
            [
                earlier
                for earlier in await self.conversations.of_visitor(conversation.visitor, 20)
                if earlier.id != conversation.id
            ],
        )
