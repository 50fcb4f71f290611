"""Tickets: in place of a token where one would stand in an address. Good once, and for a minute."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from parley.common.auth.identity import OperatorCaller
from parley.common.errors import NotFound
from parley.common.runtime.clock import Clock

LIFETIME: Final = timedelta(seconds=60)


class TicketNotFound(NotFound):
    """Never made, used already, or too old: nobody needs to know which."""

    code = "ticket_not_found"
    sentence = "There is no such ticket."


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket stands for. `expires_at` is when the token it was bought with ends, 0 for never."""

    operator_id: int
    session_id: str | None
    expires_at: int
    good_until: datetime


class TicketStore(Protocol):
    """Tickets by their digest."""

    async def put(self, digest: str, ticket: Ticket) -> None:
        """Keep one."""

    async def take(self, digest: str, now: datetime) -> Ticket | None:
        """Take out one that is still good; of two that ask at once, one gets it."""


class Tickets:
    """Sells and redeems tickets. Only their digests are stored."""

    def __init__(self, store: TicketStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def sell(self, caller: OperatorCaller) -> str:
        """A new ticket for this caller."""
        ticket = secrets.token_urlsafe(32)
        good_until = self._clock() + LIFETIME
        await self._store.put(
            _digest(ticket), Ticket(caller.operator_id, caller.session_id, caller.expires_at, good_until)
        )
        return ticket

    async def redeem(self, ticket: str) -> Ticket:
        """Who bought it. Raises TicketNotFound."""
        found = await self._store.take(_digest(ticket), self._clock())
        if found is None:
            raise TicketNotFound
        return found


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
