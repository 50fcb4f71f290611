"""Which events an operator's stream has shown: noted by the replica that wrote them, read before a push is sent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from parley.notify import metrics
from parley.notify.push.tokens import TokenStore

_MOST: Final = 20_000


class SeenNotesStore(Protocol):
    """Where notes are kept for as long as a push may wait."""

    async def note(self, seen: Mapping[str, Iterable[int]]) -> None:
        """Operators by the event that they were shown."""


class SeenNotes:
    """Collects notes without waiting, and writes them in batches: those alone of operators who have a device."""

    def __init__(self, store: SeenNotesStore, tokens: TokenStore) -> None:
        self._store = store
        self._tokens = tokens
        self._waiting: OrderedDict[str, set[int]] = OrderedDict()

    def written(self, event_id: str, operator_ids: Iterable[int]) -> None:
        """An event was given to streams of these operators."""
        self._waiting.setdefault(event_id, set()).update(operator_ids)
        if len(self._waiting) > _MOST:
            self._waiting.popitem(last=False)
            metrics.PUSH_NOTES_DROPPED.inc()

    async def flush(self) -> None:
        """Write what is waiting; what cannot be written stays for the next time."""
        if not self._waiting:
            return
        batch, self._waiting = self._waiting, OrderedDict()
        try:
            owners = await self._tokens.owners(set().union(*batch.values()))
            notes = {event_id: seen & owners for event_id, seen in batch.items() if seen & owners}
            if notes:
                await self._store.note(notes)
        except BaseException:
            for event_id, seen in batch.items():
                self.written(event_id, seen)
            raise
