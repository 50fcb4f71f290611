"""A message to translate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["visitor", "ai", "operator", "system"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as in chat's event. `translation_status` is set if chat had it translated before it was sent."""

    id: int
    seq: int
    role: Role
    content: str
    translation_status: str | None
    browser_language: str | None
    labels: tuple[str, ...] = ()
    """Of its quick replies."""
