"""Mails: what is sent, what waits to be sent, and what the server answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from typing import Literal

from parley.common.observability.logging import TraceContext

MailOutcome = Literal["sent", "refused", "later"]
"""`later`: the server is away, busy or refuses this installation, so try again. `refused`: it will never take this
mail."""


SmtpTls = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class SmtpAccount:
    """How the mail server is reached, and in whose name mail is sent."""

    host: str
    port: int
    tls: SmtpTls
    sender: Address
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MailContent:
    """What is sent, once as plain text and once as HTML."""

    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str


@dataclass(frozen=True, slots=True)
class MailDelivery:
    """A mail that waits to be sent. It has no address and no content: chat is asked for both at each try.

    `claim_id` identifies the claim under which it is being sent.
    """

    id: str
    """Of the request; the Message-ID has it too, so that servers can recognize a mail that is sent again."""
    tenant_id: int
    site_id: int
    conversation_id: int
    requested_at: datetime
    trace: TraceContext
    attempts: int = 0
    claim_id: str = ""


@dataclass(frozen=True, slots=True)
class MailReceipt:
    """The server's answer. `status` is its reply code, 0 if it did not answer; the message names no address."""

    outcome: MailOutcome
    status: int = 0
    message: str = ""
