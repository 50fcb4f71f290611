"""Translations that were made before: in memory, bounded in bytes, and in the store, bounded in age."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

from parley.translate import metrics

_OVERHEAD = 200
"""What an entry costs beside its text, in bytes."""


class StoredTranslations(Protocol):
    """The cache that replicas share, and that outlives them."""

    async def find(self, keys: Sequence[bytes]) -> Mapping[bytes, str]: ...

    async def keep(self, made: Mapping[bytes, str], conversation_id: int | None) -> None:
        """Keep translations, and for which conversation they were made."""

    async def made_for(self, conversation_ids: Sequence[int]) -> Sequence[str]:
        """The translations that were made for conversations."""

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        """Forget them."""


def cache_key(words: str, source: str | None, target: str) -> bytes:
    """Which translation: of what, from what, into what."""
    return hashlib.sha256(f"{source or ''}\0{target}\0{words}".encode()).digest()


class Cache:
    """Both levels. The key is of the words with their marks: no number and no address is ever in it."""

    def __init__(self, stored: StoredTranslations, largest: int) -> None:
        self._stored = stored
        self._largest = largest
        self._near: OrderedDict[bytes, str] = OrderedDict()
        self._bytes = 0

    async def find(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        """What is known of these."""
        found: dict[bytes, str] = {}
        for key in keys:
            if key in self._near:
                self._near.move_to_end(key)
                found[key] = self._near[key]
        metrics.CACHE.labels("memory").inc(len(found))
        missing = [key for key in keys if key not in found]
        if missing:
            stored = await self._stored.find(missing)
            for key, made in stored.items():
                self._remember(key, made)
            found.update(stored)
            metrics.CACHE.labels("store").inc(len(stored))
            metrics.CACHE.labels("nowhere").inc(len(missing) - len(stored))
        return found

    async def keep(self, made: Mapping[bytes, str], conversation_id: int | None = None) -> None:
        """Remember these, which were made for a conversation."""
        for key, text in made.items():
            self._remember(key, text)
        if made:
            await self._stored.keep(made, conversation_id)

    def forget_near(self) -> None:
        """Empty this process's memory: what is in it may just have been erased."""
        self._near.clear()
        self._bytes = 0

    def _remember(self, key: bytes, made: str) -> None:
        self._forget(key)
        self._near[key] = made
        self._bytes += _size(made)
        while self._bytes > self._largest:
            self._forget(next(iter(self._near)))

    def _forget(self, key: bytes) -> None:
        old = self._near.pop(key, None)
        if old is not None:
            self._bytes -= _size(old)

    @property
    def size(self) -> int:
        """Bytes held in memory."""
        return self._bytes


def _size(text: str) -> int:
    return len(text.encode()) + _OVERHEAD
