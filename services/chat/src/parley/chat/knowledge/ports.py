"""What knowledge use cases need from storage."""

from __future__ import annotations

from typing import Protocol

from parley.chat.knowledge.model import KnowledgeEntry


class KnowledgeRepository(Protocol):
    async def list_page(self, site_id: int, after: int, limit: int) -> list[KnowledgeEntry]:
        """Entries with ids above `after`, by id."""

    async def add(self, entry: KnowledgeEntry, limit: int) -> bool:
        """False if there is an entry with this id. Raises KnowledgeFull if the site has `limit` others."""

    async def find(self, tenant_id: int, site_id: int, entry_id: int) -> KnowledgeEntry | None: ...

    async def replace(self, before: KnowledgeEntry, after: KnowledgeEntry) -> bool:
        """False if the entry is neither as it was before nor as it shall be."""

    async def delete(self, tenant_id: int, site_id: int, entry_id: int) -> bool:
        """False if there is no such entry."""
