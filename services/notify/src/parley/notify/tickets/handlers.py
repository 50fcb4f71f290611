"""HTTP handlers of stream tickets: operators get them, the gateway redeems them."""

from __future__ import annotations

from pydantic import BaseModel

from parley.common.auth.identity import GatewayCaller, OperatorCaller
from parley.common.http import RequestContext
from parley.notify.tickets.schemas import RedeemedTicketResponse, RedeemTicketBody, TicketResponse
from parley.notify.tickets.service import TicketService


class TicketHandlers:
    def __init__(self, tickets: TicketService) -> None:
        self._tickets = tickets

    async def issue(self, call: RequestContext[OperatorCaller, None, None]) -> BaseModel:
        return TicketResponse(ticket=await self._tickets.issue(call.caller))

    async def redeem(self, call: RequestContext[GatewayCaller, RedeemTicketBody, None]) -> BaseModel:
        ticket = await self._tickets.redeem(call.body.ticket)
        return RedeemedTicketResponse(
            operator_id=ticket.operator_id,
            session_id=ticket.session_id,
            expires_at=ticket.expires_at,
            api_key_hash=ticket.api_key_hash,
        )
