"""What the ticket service needs from the database."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from parley.notify.tickets.model import Ticket


class TicketRepository(Protocol):
    """Tickets by digest."""

    async def insert(self, digest: str, ticket: Ticket) -> None:
        """Store a ticket."""

    async def pop(self, digest: str, now: datetime) -> Ticket | None:
        """Remove and return a valid ticket. Atomic: of two concurrent calls, one gets it."""
