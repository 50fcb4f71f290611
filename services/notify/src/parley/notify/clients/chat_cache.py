"""What chat is asked of a site, kept for a minute; forgotten the moment a site or a team changes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from parley.common.events import Event
from parley.common.messaging import Ask

T = TypeVar("T")

_KEEP_SECONDS = 60.0
_MOST = 10_000
_CHANGES = frozenset({"operator.access_changed", "site.changed"})


class AskedOfChat(Generic[T]):
    """One question about sites, and what its answers mean."""

    def __init__(self, ask: Ask, question: str, read: Callable[[dict[str, Any] | None], T]) -> None:
        self._ask = ask
        self._question = question
        self._read = read
        self._known: OrderedDict[int, tuple[float, T]] = OrderedDict()
        self._changes = 0

    def heed(self, event: Event, _position: int) -> None:
        """Forget everything when an operator's access or a site changes: rare, and it names no sites."""
        if event.type in _CHANGES:
            self._known.clear()
            self._changes += 1

    async def of(self, site_id: int) -> T:
        """The answer for a site. Raises Unavailable."""
        known = self._known.get(site_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        changes = self._changes
        found = self._read(await self._ask(self._question, site_id=site_id))
        # An answer that was on its way while something changed may be older than the change.
        if changes == self._changes:
            self._known[site_id] = (time.monotonic() + _KEEP_SECONDS, found)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found
