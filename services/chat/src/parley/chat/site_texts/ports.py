"""What site texts need from outside."""

from __future__ import annotations

from typing import Protocol


class TextTranslator(Protocol):
    async def __call__(self, site_id: int, text: str, target: str, source: str) -> str | None:
        """Translate a text; None if no engine can, or none has answered in time."""
