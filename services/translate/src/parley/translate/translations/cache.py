"""Two-level cache of translations: in memory, bounded in bytes, and in the repository, bounded in age."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from cachetools import LRUCache

from parley.translate import metrics
from parley.translate.translations.ports import TranslationRepository

_ENTRY_OVERHEAD_BYTES = 200
"""The memory of an entry in addition to its text."""


def cache_key(words: str, source: str | None, target: str) -> bytes:
    """Return the key of a translation: a hash of the text and of both languages."""
    return hashlib.sha256(f"{source or ''}\0{target}\0{words}".encode()).digest()


class TranslationCache:
    """Cached translations of segments. They contain placeholders, never the numbers or addresses behind them."""

    def __init__(self, repository: TranslationRepository, max_bytes: int) -> None:
        self._repository = repository
        self._memory: LRUCache[bytes, str] = LRUCache(max_bytes, getsizeof=_size_in_bytes)

    async def find(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        """Return the cached translations by key."""
        translations = {key: self._memory[key] for key in keys if key in self._memory}
        metrics.CACHE.labels("memory").inc(len(translations))
        missing = [key for key in keys if key not in translations]
        if missing:
            stored = await self._repository.find(missing)
            self._remember(stored)
            translations.update(stored)
            metrics.CACHE.labels("store").inc(len(stored))
            metrics.CACHE.labels("nowhere").inc(len(missing) - len(stored))
        return translations

    async def save(self, translations: Mapping[bytes, str], conversation_id: int | None = None) -> None:
        """Store translations that were made for a conversation."""
        self._remember(translations)
        if translations:
            await self._repository.save(translations, conversation_id)

    def clear_memory(self) -> None:
        """Empty the memory of this process: what it holds may have been erased from the repository."""
        self._memory.clear()

    @property
    def memory_bytes(self) -> int:
        """The size of the entries in memory."""
        return int(self._memory.currsize)

    def _remember(self, translations: Mapping[bytes, str]) -> None:
        for key, text in translations.items():
            if _size_in_bytes(text) <= self._memory.maxsize:
                self._memory[key] = text


def _size_in_bytes(text: str) -> int:
    return len(text.encode()) + _ENTRY_OVERHEAD_BYTES
