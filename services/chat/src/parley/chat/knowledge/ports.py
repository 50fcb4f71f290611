"""What knowledge use cases need from storage."""

from __future__ import annotations

from typing import Protocol

from parley.chat.knowledge.model import KnowledgeEntry


class KnowledgeRepository(Protocol):
    async def list_page(self, site_id: int, after: int, limit: int) -> list[KnowledgeEntry]:
        """Entries with ids above `after`, by id."""

    async def count_others(self, entry: KnowledgeEntry, limit: int) -> int:
        """How many entries the site of an entry has besides it, counted up to `limit`."""

    async def add(self, entry: KnowledgeEntry) -> bool:
        """False if there is an entry with this id."""

    async def replace(self, entry: KnowledgeEntry) -> bool:
        """False if there is no such entry."""

    async def delete(self, tenant_id: int, site_id: int, entry_id: int) -> bool:
        """False if there is no such entry."""
