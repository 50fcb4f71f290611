"""Issue and redeem stream tickets. A ticket works once, within `TICKET_LIFETIME_SECONDS`."""

from __future__ import annotations

import secrets
from datetime import timedelta

from parley.common.auth.identity import OperatorCaller
from parley.common.auth.token_hashing import hash_token
from parley.common.runtime.clock import Clock
from parley.notify.tickets.model import Ticket, TicketNotFound
from parley.notify.tickets.ports import TicketRepository
from parley.notify.timeouts import TICKET_LIFETIME_SECONDS


class TicketService:
    """Issues and redeems tickets. Only their digests are stored."""

    def __init__(self, tickets: TicketRepository, clock: Clock) -> None:
        self._tickets = tickets
        self._clock = clock

    async def issue(self, caller: OperatorCaller) -> str:
        """Return a new ticket for this caller."""
        ticket = secrets.token_urlsafe(32)
        valid_until = self._clock() + timedelta(seconds=TICKET_LIFETIME_SECONDS)
        issued = Ticket(
            caller.operator_id,
            caller.login_session_id,
            caller.expires_at,
            valid_until,
            api_key_hash=caller.api_key_hash,
        )
        await self._tickets.insert(hash_token(ticket), issued)
        return ticket

    async def redeem(self, ticket: str) -> Ticket:
        """Use a ticket up and return what it stands for. Raises TicketNotFound."""
        redeemed = await self._tickets.pop(hash_token(ticket), self._clock())
        if redeemed is None:
            raise TicketNotFound
        return redeemed
