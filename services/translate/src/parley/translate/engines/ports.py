"""The interfaces of translation engines and of the character quota."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Engine(Protocol):
    """One translation engine. Calls of `paid` engines count against a site's daily quota."""

    name: str
    paid: bool

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
        """Return each text in the target language, in order. Raises EngineError.

        The engine detects the source language if `source` is None.
        """

    def supports(self, source: str | None, target: str) -> bool:
        """Return whether the engine can translate the pair; True while its languages are not known yet.

        With a source of None: whether it can translate any language into the target.
        """

    async def refresh(self) -> None:
        """Load the languages that the engine supports. Raises EngineError."""

    async def close(self) -> None:
        """Close connections and threads."""


class CharacterQuota(Protocol):
    """Characters of paid engines that a site has used today (UTC)."""

    async def charge(self, site_id: int, characters: int, limit: int) -> bool:
        """Add characters unless the day's total would exceed the limit; return whether they were added. 0: no limit."""

    async def refund(self, site_id: int, characters: int) -> None:
        """Subtract the characters of a failed call."""
