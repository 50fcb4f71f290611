"""Request and response bodies of the ticket endpoints."""

from __future__ import annotations

from pydantic import Field

from parley.common.http import RequestBody, SuccessResponse
from parley.notify.timeouts import TICKET_LIFETIME_SECONDS


class TicketResponse(SuccessResponse):
    ticket: str
    expires_in: int = Field(TICKET_LIFETIME_SECONDS, description="Seconds.")


class RedeemTicketBody(RequestBody):
    ticket: str = Field(min_length=1, max_length=200)


class RedeemedTicketResponse(SuccessResponse):
    operator_id: int
    session_id: str | None
    expires_at: int = Field(
        description="When the token that the ticket was issued for expires, in seconds since 1970; 0 for never."
    )
    api_key_hash: str | None = Field(description="Of the API key that the ticket was issued to; null for a login.")
