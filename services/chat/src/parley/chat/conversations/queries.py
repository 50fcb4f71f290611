"""What operators look up: the queue, counts, transfer candidates, a conversation's page, the archive, ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from parley.chat.ai.usage import TokenUsage, sum_up
from parley.chat.conversations.errors import ConversationNotFound
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.ports import ConversationRepository, MessageSearch, TeamMembers
from parley.chat.messages.model import Message, Note
from parley.chat.messages.ports import MessageRepository
from parley.chat.paging.model import ListPage, Position
from parley.chat.presence.ports import PresenceReader, ReachableOperators
from parley.chat.sites.site_settings import SiteSettingsReader, find_site, get_authorized_site
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.events.schemas import Mode

_MAX_PREVIOUS_CONVERSATIONS = 20
_MAX_MENTIONS = 100
MODES_BY_STATUS: Mapping[str, Mode] = {"pending": "pending", "active": "operator", "ai": "ai", "closed": "closed"}
"""Modes by the names that lists use."""


@dataclass(frozen=True, slots=True)
class TransferCandidate:
    """An operator of a site to whom a conversation can be transferred."""

    id: int
    name: str
    online: bool
    active_chats: int
    notifiable: bool | None = None
    """Whether they have a device that gets pushes; None: not known."""


@dataclass(frozen=True, slots=True)
class ConversationFilter:
    """By what lists of conversations are filtered; None: not by this."""

    label_id: int | None = None
    team_id: int | None = None
    operator_id: int | None = None
    """Who has the conversation."""
    language: str | None = None
    """Of the visitor, without region: `pt` includes `pt-BR`."""
    rating: int | None = None
    search: str | None = None
    """Beginnings of words of the visitor's details, or words of a message."""
    found_by_messages: Sequence[int] = ()
    """The conversations whose messages have the words of `search`; ConversationQueries sets it."""
    min_waiting: timedelta | None = None
    """How long the visitor has waited at least; in lists of open conversations only."""


NO_FILTER = ConversationFilter()


@dataclass(frozen=True, slots=True)
class ArchiveFilter:
    """Which of a site's conversations to list; empty or None: all. `until` itself is not included."""

    modes: Sequence[Mode] = ()
    fields: ConversationFilter = NO_FILTER
    """Without `operator_id` and `min_waiting`."""
    since: datetime | None = None
    until: datetime | None = None
    operator_id: int | None = None
    """Who has the conversation, or had it at some time."""


@dataclass(frozen=True, slots=True)
class QueueSelection:
    """Which open conversations to list: those of some modes without the snoozed ones, or all snoozed ones."""

    modes: Sequence[Mode] = ()
    snoozed: bool = False
    fields: ConversationFilter = NO_FILTER


SelectionT = TypeVar("SelectionT", QueueSelection, ArchiveFilter)


def select_queue(status: str, fields: ConversationFilter) -> QueueSelection:
    """The open conversations that a list's `status` names: `snoozed`, or modes separated by commas."""
    if status == "snoozed":
        return QueueSelection(snoozed=True, fields=fields)
    modes = [MODES_BY_STATUS[part] for part in status.split(",")]
    return QueueSelection(list(dict.fromkeys(modes)), fields=fields)


@dataclass(frozen=True, slots=True)
class RatingStats:
    count: int
    average: float | None
    by_score: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class ConversationUsage:
    """What the AI was used for in a conversation."""

    tokens: TokenUsage
    cost: int | None
    """In billionths of the currency; None if a price was not known."""
    currency: str


@dataclass(frozen=True, slots=True)
class ConversationDetails:
    """A conversation as its own page shows it."""

    conversation: Conversation
    messages: Sequence[Message]
    notes: Sequence[Note]
    previous: Sequence[Conversation]
    """The visitor's other conversations, newest first."""
    usage: ConversationUsage | None
    """For those who may see reports."""


class ConversationQueryRepository(Protocol):
    async def list_queue(
        self, tenant_id: int, site_ids: Sequence[int], selection: QueueSelection, after: Position | None, limit: int
    ) -> ListPage[Conversation]:
        """Longest waiting first; snoozed conversations by the end of the snooze."""

    async def count_queue(self, tenant_id: int, site_ids: Sequence[int], selection: QueueSelection, limit: int) -> int:
        """How many conversations `list_queue` has, counted up to `limit`."""

    async def count_archive(self, tenant_id: int, site_id: int, filter_: ArchiveFilter, limit: int) -> int:
        """How many conversations `list_archive` has, counted up to `limit`."""

    async def count_by_mode(self, tenant_id: int, site_ids: Sequence[int]) -> Mapping[int, Mapping[Mode, int]]:
        """Conversations in the modes `pending` and `operator`, by site and mode."""

    async def count_by_operator(self, tenant_id: int, site_id: int) -> Mapping[int, int]:
        """Open conversations that operators have, by operator id."""

    async def list_archive(
        self, tenant_id: int, site_id: int, filter_: ArchiveFilter, after: Position | None, skip: int, limit: int
    ) -> ListPage[Conversation]:
        """Newest first; `total` is set."""

    async def list_rated(
        self, tenant_id: int, site_id: int, after: Position | None, limit: int
    ) -> ListPage[Conversation]:
        """Latest rating first."""

    async def get_rating_stats(self, tenant_id: int, site_id: int, since: datetime | None) -> RatingStats: ...


@dataclass(frozen=True, slots=True)
class ConversationQueries:
    """Reads, and clears mentions. Methods with a site or conversation id raise NotFound, and Forbidden."""

    queries: ConversationQueryRepository
    conversations: ConversationRepository
    messages: MessageRepository
    sites: SiteSettingsReader
    team: TeamMembers
    presence: PresenceReader
    reachable: ReachableOperators
    message_search: MessageSearch

    async def find(self, caller: OperatorCaller, conversation_id: int) -> Conversation:
        conversation = await self.conversations.find(caller.tenant_id, conversation_id)
        if conversation is None:
            raise ConversationNotFound
        caller.authorize(conversation.tenant_id, conversation.site_id)
        return conversation

    async def get_details(
        self, caller: OperatorCaller, conversation_id: int, before_seq: int | None, limit: int
    ) -> ConversationDetails:
        """A conversation with its latest messages, or those before a seq."""
        conversation = await self.find(caller, conversation_id)
        messages = await self.messages.list_for_conversation(conversation, before_seq=before_seq, limit=limit)
        notes = await self.messages.list_notes(conversation)
        all_of_visitor = await self.conversations.list_for_visitor(conversation.visitor, _MAX_PREVIOUS_CONVERSATIONS)
        previous = [other for other in all_of_visitor if other.id != conversation.id]
        usage = await self._get_usage(caller, conversation)
        return ConversationDetails(conversation, messages, notes, previous, usage)

    async def _get_usage(self, caller: OperatorCaller, conversation: Conversation) -> ConversationUsage | None:
        may_see_reports = caller.owner or Permission.MANAGE in caller.sites.get(conversation.site_id, ())
        if not may_see_reports or not conversation.known_usage:
            return None
        site = await find_site(self.sites, conversation.tenant_id, conversation.site_id)
        total = sum_up(conversation.known_usage)
        return ConversationUsage(total.tokens, total.cost, site.prices.currency if site is not None else "")

    async def list_mentions(self, caller: OperatorCaller) -> Sequence[Note]:
        """The notes that call the caller and are not read, newest first, of sites that they still see."""
        return await self.messages.list_unread_mentions(
            caller.tenant_id, caller.operator_id, caller.site_ids, _MAX_MENTIONS
        )

    async def mark_mentions_read(self, caller: OperatorCaller, conversation_id: int) -> None:
        """Clear the caller's mentions in a conversation."""
        conversation = await self.find(caller, conversation_id)
        await self.messages.mark_mentions_read(conversation, caller.operator_id)

    async def list_messages(
        self,
        caller: OperatorCaller,
        conversation_id: int,
        *,
        before_seq: int | None,
        after_seq: int | None,
        limit: int,
    ) -> tuple[Conversation, Sequence[Message]]:
        conversation = await self.find(caller, conversation_id)
        messages = await self.messages.list_for_conversation(
            conversation, before_seq=before_seq, after_seq=after_seq, limit=limit
        )
        return conversation, messages

    async def list_site_queue(
        self, caller: OperatorCaller, site_id: int, selection: QueueSelection, after: Position | None, limit: int
    ) -> ListPage[Conversation]:
        await get_authorized_site(self.sites, caller, site_id)
        selection = await self._search_messages(caller, [site_id], selection)
        return await self.queries.list_queue(caller.tenant_id, [site_id], selection, after, limit)

    async def list_queue(
        self, caller: OperatorCaller, selection: QueueSelection, after: Position | None, limit: int
    ) -> ListPage[Conversation]:
        """The queue of all sites that the caller may view."""
        selection = await self._search_messages(caller, caller.site_ids, selection)
        return await self.queries.list_queue(caller.tenant_id, caller.site_ids, selection, after, limit)

    async def count_queue(
        self, caller: OperatorCaller, site_id: int | None, selection: QueueSelection, limit: int
    ) -> int:
        """How many conversations the queue of a site, or of all sites that the caller may view, has, up to `limit`.

        Zero without access to the site.
        """
        site_ids = caller.site_ids if site_id is None else [site_id] if site_id in caller.site_ids else []
        if not site_ids:
            return 0
        selection = await self._search_messages(caller, site_ids, selection)
        return await self.queries.count_queue(caller.tenant_id, site_ids, selection, limit)

    async def count_archive(self, caller: OperatorCaller, site_id: int, filter_: ArchiveFilter, limit: int) -> int:
        """How many conversations the archive of a site has, counted up to `limit`. Zero without access to the site."""
        if site_id not in caller.site_ids:
            return 0
        filter_ = await self._search_messages(caller, [site_id], filter_)
        return await self.queries.count_archive(caller.tenant_id, site_id, filter_, limit)

    async def count_by_site(self, caller: OperatorCaller) -> Mapping[int, Mapping[Mode, int]]:
        """Pending and assigned conversations of the caller's sites, by site and mode."""
        return await self.queries.count_by_mode(caller.tenant_id, caller.site_ids)

    async def list_transfer_candidates(self, caller: OperatorCaller, site_id: int) -> Sequence[TransferCandidate]:
        """Operators who may chat on a site: online ones first, then by name."""
        await get_authorized_site(self.sites, caller, site_id)
        online = await self.presence.operators_online(site_id)
        active_chats = await self.queries.count_by_operator(caller.tenant_id, site_id)
        team = await self.team.on_site(caller.tenant_id, site_id)
        members = [member for member in team if member.may_chat_on(site_id)]
        reachable = await self.reachable([member.id for member in members])
        candidates = [
            TransferCandidate(
                member.id,
                member.name,
                member.id in online,
                active_chats.get(member.id, 0),
                None if reachable is None else member.id in reachable,
            )
            for member in members
        ]
        return sorted(candidates, key=lambda member: (not member.online, member.name.casefold(), member.id))

    async def list_archive(
        self,
        caller: OperatorCaller,
        site_id: int,
        filter_: ArchiveFilter,
        after: Position | None,
        skip: int,
        limit: int,
    ) -> ListPage[Conversation]:
        await get_authorized_site(self.sites, caller, site_id)
        filter_ = await self._search_messages(caller, [site_id], filter_)
        return await self.queries.list_archive(caller.tenant_id, site_id, filter_, after, skip, limit)

    async def _search_messages(
        self, caller: OperatorCaller, site_ids: Sequence[int], selection: SelectionT
    ) -> SelectionT:
        """The selection with the conversations of the messages that its search finds."""
        if not selection.fields.search:
            return selection
        found = await self.message_search.find_conversations(caller.tenant_id, site_ids, selection.fields.search)
        return replace(selection, fields=replace(selection.fields, found_by_messages=found))

    async def list_rated(
        self, caller: OperatorCaller, site_id: int, after: Position | None, limit: int
    ) -> ListPage[Conversation]:
        await get_authorized_site(self.sites, caller, site_id)
        return await self.queries.list_rated(caller.tenant_id, site_id, after, limit)

    async def get_rating_stats(self, caller: OperatorCaller, site_id: int, since: datetime | None) -> RatingStats:
        await get_authorized_site(self.sites, caller, site_id)
        return await self.queries.get_rating_stats(caller.tenant_id, site_id, since)

    async def find_by_id(self, conversation_id: int) -> Conversation | None:
        """A conversation of any tenant, for other services."""
        return await self.conversations.find_by_id(conversation_id)

    async def find_recent_messages(
        self, conversation_id: int, limit: int
    ) -> tuple[Conversation, Sequence[Message]] | None:
        """A conversation and its newest messages, for other services. None if there is no such conversation."""
        conversation = await self.find_by_id(conversation_id)
        if conversation is None:
            return None
        return conversation, await self.messages.list_for_conversation(conversation, limit=limit)

    async def find_message(self, conversation_id: int, seq: int) -> Message | None:
        """A message of any tenant, for other services."""
        conversation = await self.conversations.find_by_id(conversation_id)
        if conversation is None:
            return None
        messages = await self.messages.list_for_conversation(conversation, after_seq=seq - 1, limit=1)
        return messages[0] if messages else None
