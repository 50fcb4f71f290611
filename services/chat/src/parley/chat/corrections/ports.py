"""What corrections need: storage, conversations with their messages, and the site's knowledge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from parley.chat.conversations.model import Conversation
from parley.chat.corrections.model import Correction
from parley.chat.ids import NextId
from parley.chat.knowledge.model import KnowledgeEntry
from parley.chat.messages.model import Message
from parley.chat.retrieval.model import Passage
from parley.chat.sites.site_settings import SiteSettings
from parley.common.auth.identity import OperatorCaller


class CorrectionRepository(Protocol):
    async def add(self, correction: Correction) -> None: ...

    async def replace_open(self, correction: Correction) -> Correction | None:
        """Replace the texts of the operator's report of this answer; None if there is none that is not applied yet."""

    async def get(self, tenant_id: int, site_id: int, correction_id: int) -> Correction:
        """Raises CorrectionNotFound."""

    async def list_page(self, tenant_id: int, site_id: int, before: int, limit: int) -> list[Correction]:
        """Newest first, with ids below `before`; all of them for 0."""

    async def reserve_entry(self, correction: Correction, entry_id: int) -> int:
        """The id of the entry to be added: this one, or the one that was reserved before. Raises CorrectionApplied."""

    async def set_entry(self, correction: Correction, entry_id: int) -> None:
        """Mark a correction as applied, unless it is."""

    async def find_affected(self, correction: Correction, before: int, limit: int) -> Mapping[int, Sequence[int]]:
        """The conversations in which the AI cited the same passages before the correction, newest first.

        The seqs of the answers by the conversation's id, which is below `before` if that is not 0.
        """

    async def list_conversations(self, tenant_id: int, ids: Sequence[int]) -> Mapping[int, Conversation]: ...


class ConversationReader(Protocol):
    async def find(self, tenant_id: int, conversation_id: int) -> Conversation | None: ...


class MessageReader(Protocol):
    async def list_for_conversation(
        self,
        conversation: Conversation,
        *,
        before_seq: int | None = None,
        after_seq: int | None = None,
        limit: int = 50,
    ) -> Sequence[Message]: ...


class KnowledgeWriter(Protocol):
    @property
    def next_id(self) -> NextId: ...

    async def list_passages(self, site: SiteSettings) -> Sequence[Passage]: ...

    async def add(
        self, caller: OperatorCaller, site_id: int, question: str, answer: str, entry_id: int
    ) -> KnowledgeEntry:
        """Raises KnowledgeFull, EntryExists."""

    async def replace(
        self, caller: OperatorCaller, site_id: int, entry_id: int, question: str, answer: str, version: str | None
    ) -> KnowledgeEntry:
        """Replace the entry of this version; None: as it is now. Raises EntryNotFound, EntryChanged."""


class DocumentPassages(Protocol):
    async def list_of_document(self, site: SiteSettings, document_id: int) -> Sequence[Passage]:
        """What a page or file says now; nothing if it is gone."""
