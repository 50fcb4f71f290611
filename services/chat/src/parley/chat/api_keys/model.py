"""API keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

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
