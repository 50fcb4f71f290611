"""API keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from parley.common.auth.identity import Permission

MAX_KEYS_PER_OPERATOR = 20
"""Bounds the operator's document, which holds them."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: its hash, and its first characters for lists."""

    id: int
    name: str
    key_hash: str = field(repr=False)
    prefix: str
    created_at: datetime
    last_used_at: datetime | None = None
    scopes: frozenset[Permission] | None = None
    """The permissions that it has, of those of its operator. None: everything that the operator may do."""
    expires_at: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now
