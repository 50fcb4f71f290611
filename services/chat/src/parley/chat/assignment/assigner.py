"""Gives waiting conversations to operators. Any replica may do it at any time.

Exactly one operator gets a conversation, since the assignment is a compare-and-set on the conversation. No operator
gets more than their capacity: room is reserved in a document of the operator before the conversation is changed. How
both stand up to replicas that stop in between: docs/decisions/0008-assignment-finds-one-winner.md.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from parley.chat import metrics
from parley.chat.assignment.choice import Candidate, Ranking, audiences, rank, recently_missed
from parley.chat.assignment.ports import Reservation, SlotsRepository, WaitingConversations
from parley.chat.assignment.timeouts import CONTENTION_PAUSE_SECONDS, MISSED_PAUSE, RESERVATION_LIFETIME
from parley.chat.conversations import transitions
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.ports import ConversationRepository, TeamMembers
from parley.chat.presence.ports import PresenceReader
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader
from parley.chat.teams.ports import TeamLookup
from parley.common.errors import NotFound
from parley.common.runtime.clock import Clock

_PAGE = 200
"""Conversations of a site that are read at once."""
_MAX_PAGES = 10
_MAX_ATTEMPTS = 5
_MAX_RESERVATION_ATTEMPTS = 5


@dataclass(slots=True)
class _Pool:
    """The operators of a site during one run. Counts change as conversations are assigned."""

    candidates: dict[int, Candidate]
    teams: Mapping[int, Collection[int]]
    contended: bool = False
    """Whether another replica assigned, too, so that room may have been overlooked."""

    def select(self, audience: Collection[int] | None) -> Sequence[Candidate]:
        members = self.candidates.values()
        return [one for one in members if audience is None or one.id in audience]

    @property
    def has_room(self) -> bool:
        """Whether anybody may be given another conversation."""
        return any(one.online and one.active_chats < one.capacity for one in self.candidates.values())

    def set_active(self, candidate: Candidate, active_chats: int) -> None:
        self.candidates[candidate.id] = replace(candidate, active_chats=active_chats)


@dataclass(frozen=True, slots=True)
class Assigner:
    conversations: ConversationRepository
    waiting: WaitingConversations
    slots: SlotsRepository
    sites: SiteSettingsReader
    team: TeamMembers
    teams: TeamLookup
    presence: PresenceReader
    clock: Clock

    async def assign_waiting_everywhere(self) -> int:
        """Assign what waits on all sites. Returns how many conversations this replica assigned."""
        return await self._assign_on(await self.waiting.list_waiting_sites())

    async def assign_waiting_of_tenant(self, tenant_id: int) -> int:
        """Assign what waits on the sites of a tenant. Returns how many conversations this replica assigned."""
        sites = await self.waiting.list_waiting_sites()
        return await self._assign_on([(owner, site_id) for owner, site_id in sites if owner == tenant_id])

    async def assign_waiting(self, tenant_id: int, site_id: int) -> int:
        """Assign what waits on a site, longest waiting first. Returns how many this replica assigned."""
        try:
            site = await self.sites.get(tenant_id, site_id)
        except NotFound:
            return 0
        if not site.routing.automatic:
            return 0
        assigned = 0
        for attempt in range(_MAX_ATTEMPTS):
            waiting = await self.waiting.list_waiting(tenant_id, site_id, _PAGE)
            if not waiting:
                break
            pool = await self._load_pool(site)
            assigned += await self._assign_pages(site, waiting, pool)
            if not pool.contended:
                break
            # Room that another replica had reserved may be free now.
            await asyncio.sleep(random.uniform(0, CONTENTION_PAUSE_SECONDS * (attempt + 1)))  # noqa: S311 - jitter
        return assigned

    async def _assign_pages(self, site: SiteSettings, waiting: Sequence[Conversation], pool: _Pool) -> int:
        """Assign a page of the queue and those behind it, as the first ones may all wait for a team that is away."""
        assigned = 0
        for _ in range(_MAX_PAGES):
            for conversation in waiting:
                assigned += await self._assign(site, conversation, pool)
            if len(waiting) < _PAGE or not pool.has_room:
                break
            waiting = await self.waiting.list_waiting(site.tenant_id, site.id, _PAGE, after=waiting[-1])
        return assigned

    async def _assign_on(self, sites: Sequence[tuple[int, int]]) -> int:
        return sum([await self.assign_waiting(tenant_id, site_id) for tenant_id, site_id in sites])

    async def _load_pool(self, site: SiteSettings) -> _Pool:
        members = [member for member in await self.team.on_site(site.tenant_id, site.id) if member.may_chat_on(site.id)]
        ids = [member.id for member in members]
        online = await self.presence.operators_online(site.id)
        active = await self.waiting.count_open(site.tenant_id, ids)
        last_assigned = await self.slots.get_last_assignments(ids)
        teams = await self.teams.list_on_site(site.tenant_id, site.id)
        candidates = {
            member.id: Candidate(
                member.id,
                member.name,
                member.id in online,
                active.get(member.id, 0),
                member.capacity or site.routing.capacity,
                last_assigned.get(member.id),
            )
            for member in members
        }
        return _Pool(candidates, {team.id: frozenset(team.operator_ids) for team in teams})

    async def _assign(self, site: SiteSettings, conversation: Conversation, pool: _Pool) -> bool:
        """Give a conversation to the best operator who has room. False if it stays as it is."""
        now = self.clock()
        waited = now - (conversation.waiting_since or now)
        excluded = recently_missed(conversation.missed_by(), now, MISSED_PAUSE)
        for audience in audiences(site.routing, conversation.team_id, pool.teams, waited):
            ranking = rank(site.routing.mode, pool.select(audience), excluded)
            for candidate in ranking.available:
                reservation = await self._reserve(conversation, candidate, pool)
                if reservation is not None:
                    return await self._assign_reserved(site, conversation, candidate, ranking, reservation, pool)
        metrics.ASSIGNMENTS.labels("no_candidate").inc()
        return False

    async def _assign_reserved(
        self,
        site: SiteSettings,
        conversation: Conversation,
        candidate: Candidate,
        ranking: Ranking,
        reservation: Reservation,
        pool: _Pool,
    ) -> bool:
        """Write the assignment and remove the reservation. False if the conversation does not wait any more."""
        at = self.clock()
        assign = partial(
            transitions.assign,
            to=candidate.ref,
            reason=site.routing.mode,
            candidates=ranking.considered,
            generation=conversation.generation,
            at=at,
            timeout=site.operator_timeout,
        )
        # After an error it is not known whether the conversation was assigned: the reservation then expires.
        change = await self.conversations.change(conversation.tenant_id, conversation.id, assign)
        await self.slots.remove(reservation, at if change is not None else None)
        if change is None:
            pool.contended = True
            metrics.ASSIGNMENTS.labels("lost").inc()
            return False
        pool.candidates[candidate.id] = replace(
            pool.candidates[candidate.id], active_chats=candidate.active_chats + 1, last_assigned_at=at
        )
        metrics.ASSIGNMENTS.labels("assigned").inc()
        if conversation.waiting_since is not None:
            metrics.ASSIGNMENT_SECONDS.observe(max(0.0, (at - conversation.waiting_since).total_seconds()))
        return True

    async def _reserve(self, conversation: Conversation, candidate: Candidate, pool: _Pool) -> Reservation | None:
        """Reserve room for a conversation. None if the operator has none, as other replicas may have used it."""
        for _ in range(_MAX_RESERVATION_ATTEMPTS):
            now = self.clock()
            # In this order: a reservation is removed after its conversation has been assigned, so each is seen as one
            # or the other.
            before = await self.slots.get(candidate.id)
            expired = [one for one in before.reservations if one.until <= now]
            for one in expired:
                # The replica that made it may still be about to write.
                await self.conversations.change(
                    conversation.tenant_id, one.conversation_id, transitions.invalidate_assignment
                )
            open_ids = await self.waiting.list_open_ids(conversation.tenant_id, candidate.id)
            reserved = {one.conversation_id for one in before.reservations if one.until > now}
            others = {*open_ids, *reserved} - {conversation.id}
            if len(others) >= candidate.capacity:
                pool.set_active(candidate, len(others))
                pool.contended = pool.contended or bool(reserved)
                return None
            added = Reservation(uuid.uuid4().hex, candidate.id, conversation.id, now + RESERVATION_LIFETIME)
            tokens = {one.token for one in expired}
            if await self.slots.add(conversation.tenant_id, candidate.id, before, added, tokens):
                return added
        pool.contended = True
        return None
