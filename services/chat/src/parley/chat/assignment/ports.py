"""What assignment needs from storage and from the broker."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from parley.chat.conversations.model import Conversation


@dataclass(frozen=True, slots=True)
class Reservation:
    """Room that an operator has for a conversation, until it is assigned to them or the reservation expires."""

    token: str
    operator_id: int
    conversation_id: int
    until: datetime


@dataclass(frozen=True, slots=True)
class OperatorSlots:
    """The reservations of an operator. `generation` counts those that were added."""

    generation: int = 0
    reservations: tuple[Reservation, ...] = ()
    last_assigned_at: datetime | None = None


class SlotsRepository(Protocol):
    """The documents by which replicas agree on how many conversations an operator gets."""

    async def get(self, operator_id: int) -> OperatorSlots: ...

    async def get_last_assignments(self, operator_ids: Collection[int]) -> Mapping[int, datetime]: ...

    async def add(
        self, tenant_id: int, operator_id: int, before: OperatorSlots, added: Reservation, expired: Collection[str]
    ) -> bool:
        """Add a reservation and remove expired ones. False if one was added since `before` was read."""

    async def remove(self, reservation: Reservation, assigned_at: datetime | None) -> None:
        """Remove a reservation; `assigned_at` is when the conversation was assigned, if it was."""


class WaitingConversations(Protocol):
    async def list_waiting(
        self, tenant_id: int, site_id: int, limit: int, after: Conversation | None = None
    ) -> Sequence[Conversation]:
        """Conversations in a site's queue, longest waiting first; only those behind `after`."""

    async def list_waiting_sites(self) -> Sequence[tuple[int, int]]:
        """Tenant id and site id of the sites that have conversations in the queue."""

    async def count_waiting_before(self, conversation: Conversation, limit: int) -> int:
        """How many of the same site and team wait longer; at most `limit`."""

    async def count_open(self, tenant_id: int, operator_ids: Collection[int]) -> Mapping[int, int]:
        """Open conversations that operators have, on all sites of the tenant."""

    async def list_open_ids(self, tenant_id: int, operator_id: int) -> Collection[int]: ...


class WaitRepository(Protocol):
    """How long visitors waited in the queue, for an hour."""

    async def add(self, event_id: str, site_id: int, at: datetime, seconds: float) -> None:
        """Adding the wait of the same event again has no effect."""

    async def list_latest(self, site_id: int, since: datetime, limit: int) -> Sequence[float]: ...
