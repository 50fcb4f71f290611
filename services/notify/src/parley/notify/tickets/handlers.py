"""Stream tickets: bought by operators, redeemed by the gateway."""

from __future__ import annotations

from pydantic import BaseModel, Field

from parley.common.auth.identity import GatewayCaller, OperatorCaller
from parley.common.http import Answer, Call, RequestBody
from parley.notify.tickets.service import LIFETIME, Tickets


class TicketSold(Answer):
    ticket: str
    expires_in: int = Field(int(LIFETIME.total_seconds()), description="Seconds.")


class RedeemTicket(RequestBody):
    ticket: str = Field(min_length=1, max_length=200)


class TicketRedeemed(Answer):
    operator_id: int
    session_id: str | None
    expires_at: int = Field(description="When the token it was bought with ends, in seconds since 1970; 0 for never.")


class TicketHandlers:
    """Sells and redeems."""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets

    async def sell(self, call: Call[OperatorCaller, None, None]) -> BaseModel:
        return TicketSold(ticket=await self._tickets.sell(call.caller))

    async def redeem(self, call: Call[GatewayCaller, RedeemTicket, None]) -> BaseModel:
        found = await self._tickets.redeem(call.body.ticket)
        return TicketRedeemed(operator_id=found.operator_id, session_id=found.session_id, expires_at=found.expires_at)
