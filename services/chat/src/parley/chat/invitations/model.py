"""Invitations, as stored and as issued."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation of an operator. Only the hash of its token is stored."""

    token_hash: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class IssuedInvitation:
    """What the inviter passes on: the token and a link to the panel that contains it. Cannot be read again."""

    token: str = field(repr=False)
    link: str = field(repr=False)
    expires_at: datetime
