"""The ticket and its errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from parley.common.errors import NotFound


class TicketNotFound(NotFound):
    """The ticket was never issued, is used already, or has expired. The response does not say which."""

    code = "ticket_not_found"
    default_message = "There is no such ticket."


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket stands for.

    `expires_at` is the end of the token it was issued for, in seconds since 1970; 0 for none.
    `valid_until` is the end of the ticket itself. `api_key_hash` names the API key it was issued to, which may do less
    than its operator; None for a login.
    """

    operator_id: int
    session_id: str | None
    expires_at: int
    valid_until: datetime
    api_key_hash: str | None = None
