"""What gaps need: storage, comparison of questions, and the conversations in which they were asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from parley.chat.conversations.model import Conversation
from parley.chat.ids import NextId
from parley.chat.knowledge.model import KnowledgeEntry
from parley.chat.knowledge_gaps.model import Gap, GapLeader, GapState, UnansweredQuestion, WeekCount
from parley.chat.messages.model import Message
from parley.chat.retrieval.model import ComparedQuestion, QuestionGroups
from parley.chat.sites.site_settings import SiteSettings
from parley.common.auth.identity import OperatorCaller


class GapRepository(Protocol):
    async def list_waiting_sites(self, limit: int) -> list[tuple[int, int]]:
        """Tenant and site ids of the questions that wait longest to be grouped."""

    async def claim_site(self, site_id: int, now: datetime, until: datetime) -> bool:
        """False if another replica groups the site's questions."""

    async def release_site(self, site_id: int, now: datetime) -> None: ...

    async def list_waiting(self, site_id: int, limit: int) -> list[UnansweredQuestion]:
        """Oldest first."""

    async def list_leaders(self, site_id: int, limit: int) -> list[GapLeader]:
        """Of the gaps that were asked about last."""

    async def set_vector(self, leader: GapLeader) -> None: ...

    async def add(self, gap_id: int, question: UnansweredQuestion, vector: bytes | None, model: str) -> None:
        """A new open gap, led by a question."""

    async def assign(self, question: UnansweredQuestion, gap_id: int) -> None:
        """Put a question that waits into a gap; an answered gap is opened if it was asked about since."""

    async def recount(self, gap_ids: Sequence[int]) -> None: ...

    async def list_page(
        self, tenant_id: int, site_id: int, state: GapState, after: tuple[int, int] | None, limit: int
    ) -> list[Gap]:
        """Most frequent first; `after` is the count and the id of the last one of the page before."""

    async def get(self, tenant_id: int, site_id: int, gap_id: int) -> Gap:
        """Raises GapNotFound."""

    async def list_questions(self, gap: Gap, limit: int) -> list[UnansweredQuestion]:
        """Newest first."""

    async def count_weeks(self, gap: Gap, since: datetime) -> list[WeekCount]: ...

    async def set_state(self, gap: Gap, state: GapState, at: datetime) -> bool:
        """False if a gap is in this state already: of two calls at once, one sets it."""

    async def reserve_entry(self, gap: Gap, entry_id: int) -> int:
        """The id of the entry to be added: this one, or the one that was reserved before. Raises GapAnswered."""

    async def set_entry(self, gap: Gap, entry_id: int, at: datetime) -> None:
        """Mark a gap as answered with the entry whose id is reserved, unless it was answered meanwhile."""

    async def remove_site(self, site_id: int) -> None: ...


class QuestionComparer(Protocol):
    async def group_questions(
        self, site: SiteSettings, leaders: Sequence[ComparedQuestion], questions: Sequence[ComparedQuestion]
    ) -> QuestionGroups: ...


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


class EntryWriter(Protocol):
    @property
    def next_id(self) -> NextId: ...

    async def add(
        self, caller: OperatorCaller, site_id: int, question: str, answer: str, entry_id: int
    ) -> KnowledgeEntry:
        """Raises KnowledgeFull, EntryExists."""
