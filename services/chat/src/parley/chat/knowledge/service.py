"""Knowledge use cases: list, add, replace, delete, and give them to retrieval."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from parley.chat.audit.service import AuditService
from parley.chat.ids import NextId
from parley.chat.knowledge.errors import MAX_ENTRIES, EntryChanged, EntryExists, EntryNotFound
from parley.chat.knowledge.model import KnowledgeEntry
from parley.chat.knowledge.ports import KnowledgeRepository
from parley.chat.retrieval.model import Passage
from parley.chat.sites.service import SiteService
from parley.chat.sites.site_settings import SiteSettings
from parley.common.auth.identity import OperatorCaller


@dataclass(frozen=True, slots=True)
class KnowledgeService:
    """Methods with a caller raise NotFound, and Forbidden without the route's permission on the site."""

    entries: KnowledgeRepository
    sites: SiteService
    audit: AuditService
    next_id: NextId
    on_changed: Callable[[int], Awaitable[None]]
    """Called with the site's id after each change of its entries."""

    async def list_page(self, caller: OperatorCaller, site_id: int, after: int, limit: int) -> list[KnowledgeEntry]:
        """A site's entries by id; `limit` + 1 if there are more than `limit`."""
        await self.sites.get(caller, site_id)
        return await self.entries.list_page(site_id, after, limit + 1)

    async def add(
        self, caller: OperatorCaller, site_id: int, question: str, answer: str, entry_id: int | None = None
    ) -> KnowledgeEntry:
        """Add an entry, with an id that `next_id` has given already or with a new one.

        Raises KnowledgeFull, and EntryExists if an entry was added with this id before.
        """
        await self.sites.get(caller, site_id)
        entry = KnowledgeEntry(entry_id or await self.next_id(), caller.tenant_id, site_id, question, answer)
        is_new = await self.entries.add(entry, MAX_ENTRIES)
        # Also for an entry that exists: the process that added it may have ended before this.
        await self.on_changed(site_id)
        if not is_new:
            raise EntryExists
        await self.audit.record(caller, "knowledge.created", f"knowledge:{entry.id}", site_id)
        return entry

    async def replace(
        self,
        caller: OperatorCaller,
        site_id: int,
        entry_id: int,
        question: str,
        answer: str,
        version: str | None = None,
    ) -> KnowledgeEntry:
        """Replace an entry. `version` is the one that was read; None replaces any.

        An entry that already has this content is not a conflict.

        Raises EntryNotFound, EntryChanged.
        """
        await self.sites.get(caller, site_id)
        entry = KnowledgeEntry(entry_id, caller.tenant_id, site_id, question, answer)
        before = await self.entries.find(caller.tenant_id, site_id, entry_id)
        if before is None:
            raise EntryNotFound
        if before.version not in (version or before.version, entry.version):
            raise EntryChanged
        if not await self.entries.replace(before, entry):
            raise EntryChanged
        await self.on_changed(site_id)
        await self.audit.record(caller, "knowledge.updated", f"knowledge:{entry_id}", site_id)
        return entry

    async def delete(self, caller: OperatorCaller, site_id: int, entry_id: int) -> None:
        """Raises EntryNotFound."""
        await self.sites.get(caller, site_id)
        if not await self.entries.delete(caller.tenant_id, site_id, entry_id):
            raise EntryNotFound
        await self.on_changed(site_id)
        await self.audit.record(caller, "knowledge.deleted", f"knowledge:{entry_id}", site_id)

    async def list_passages(self, site: SiteSettings) -> Sequence[Passage]:
        """The entries as passages, a PassageSource of retrieval: the question is the title."""
        return [
            Passage(f"knowledge:{entry.id}", entry.question, entry.answer, language=site.language)
            for entry in await self.entries.list_page(site.id, 0, 2 * MAX_ENTRIES)
        ]
