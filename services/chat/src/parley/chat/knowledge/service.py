"""What a site's assistant knows: questions with their answers, searched by what a visitor writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from parley.chat.accounts.service import NextId
from parley.chat.audit.service import Audit
from parley.chat.conversations.ports import Passage
from parley.chat.sites.service import Sites
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Conflict, NotFound

MOST_ENTRIES = 200
"""On one site. A bound against runaway imports: two that arrive together may pass it by one."""


class EntryNotFound(NotFound):
    code = "not_found"


class KnowledgeFull(Conflict):
    code = "knowledge_full"
    sentence = f"A site holds at most {MOST_ENTRIES} knowledge entries."


@dataclass(frozen=True, slots=True)
class KnowledgeEntry:
    """One question and its answer."""

    id: int
    tenant_id: int
    site_id: int
    question: str
    answer: str


class KnowledgeStore(Protocol):
    """Where entries are kept."""

    async def page(self, site_id: int, after: int, limit: int) -> list[KnowledgeEntry]: ...
    async def count(self, site_id: int, most: int) -> int:
        """How many a site has, counted up to `most`."""

    async def add(self, entry: KnowledgeEntry) -> None: ...

    async def replace(self, entry: KnowledgeEntry) -> bool:
        """False where it is not there."""

    async def remove(self, tenant_id: int, site_id: int, entry_id: int) -> bool:
        """False where it is not there."""

    async def search(self, site_id: int, text: str, limit: int) -> Sequence[Passage]:
        """Entries that share words with a text, the best first."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Shows, changes and searches a site's entries."""

    store: KnowledgeStore
    sites: Sites
    audit: Audit
    next_id: NextId

    async def page(self, caller: OperatorCaller, site_id: int, after: int, limit: int) -> list[KnowledgeEntry]:
        """A site's entries by id; one more than `limit` where there are more. Raises NotFound, Forbidden."""
        await self.sites.get(caller, site_id)
        return await self.store.page(site_id, after, limit + 1)

    async def add(self, caller: OperatorCaller, site_id: int, question: str, answer: str) -> KnowledgeEntry:
        """A new entry. Raises NotFound, Forbidden, KnowledgeFull."""
        await self.sites.get(caller, site_id)
        if await self.store.count(site_id, MOST_ENTRIES) >= MOST_ENTRIES:
            raise KnowledgeFull
        entry = KnowledgeEntry(await self.next_id(), caller.tenant_id, site_id, question, answer)
        await self.store.add(entry)
        await self.audit.record(caller, "knowledge.created", f"knowledge:{entry.id}", site_id)
        return entry

    async def replace(
        self, caller: OperatorCaller, site_id: int, entry_id: int, question: str, answer: str
    ) -> KnowledgeEntry:
        """Say an entry anew. Raises NotFound, Forbidden."""
        await self.sites.get(caller, site_id)
        entry = KnowledgeEntry(entry_id, caller.tenant_id, site_id, question, answer)
        if not await self.store.replace(entry):
            raise EntryNotFound
        await self.audit.record(caller, "knowledge.updated", f"knowledge:{entry_id}", site_id)
        return entry

    async def remove(self, caller: OperatorCaller, site_id: int, entry_id: int) -> None:
        """Forget an entry. Raises NotFound, Forbidden."""
        await self.sites.get(caller, site_id)
        if not await self.store.remove(caller.tenant_id, site_id, entry_id):
            raise EntryNotFound
        await self.audit.record(caller, "knowledge.deleted", f"knowledge:{entry_id}", site_id)

    async def search(self, site_id: int, text: str, limit: int) -> Sequence[Passage]:
        """What may answer a visitor's text, the best first."""
        return await self.store.search(site_id, text, limit)
