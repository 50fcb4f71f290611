"""A request to send a transcript by e-mail, and the mail that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from parley.common.events.schemas import OperatorRef


@dataclass(frozen=True, slots=True)
class TranscriptRequest:
    """One mail that is to be sent. It is the only place that has the address, so an erasure reaches it."""

    id: str
    """32 hexadecimal digits; the mail's Message-ID has it too."""
    tenant_id: int
    site_id: int
    conversation_id: int
    session: str
    email: str = field(repr=False)
    language: str | None
    up_to_seq: int
    """What is written after the request is not sent: every try sends the same."""
    requested_by: OperatorRef | None
    """None: the visitor."""
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class TranscriptMail:
    """What is sent, once as plain text and once as HTML."""

    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str
