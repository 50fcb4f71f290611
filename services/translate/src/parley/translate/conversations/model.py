"""What translate knows of a conversation. Chat owns the rest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conversation:
    """The owner of a conversation. `session` is the public id of the visitor's session."""

    id: int
    tenant_id: int
    site_id: int
    session: str
