"""Gaps of a site's knowledge, for those who see its conversations, and for its managers, who close them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from parley.chat.audit.service import AuditService
from parley.chat.handoff_requests import is_greeting, is_thanks
from parley.chat.knowledge.errors import EntryExists
from parley.chat.knowledge.model import KnowledgeEntry
from parley.chat.knowledge_gaps.errors import GapAnswered
from parley.chat.knowledge_gaps.model import EntryDraft, Gap, GapDetails, GapState, UnansweredQuestion
from parley.chat.knowledge_gaps.ports import ConversationReader, EntryWriter, GapRepository, MessageReader
from parley.chat.sites.service import SiteService
from parley.common.auth.identity import OperatorCaller
from parley.common.runtime.clock import Clock

SHOWN_WEEKS = 12
_EXAMPLES = 10
_MESSAGES_READ = 100
"""After a question, in which an operator's answer is looked for."""
_MIN_ANSWER_CHARACTERS = 15
_MAX_ANSWER_MESSAGES = 3
_MAX_ANSWER_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class GapService:
    """Methods raise NotFound, and Forbidden without the route's permission on the site."""

    gaps: GapRepository
    sites: SiteService
    conversations: ConversationReader
    messages: MessageReader
    entries: EntryWriter
    audit: AuditService
    clock: Clock

    async def list_page(
        self, caller: OperatorCaller, site_id: int, state: GapState, after: tuple[int, int] | None, limit: int
    ) -> list[Gap]:
        """The most frequent ones first; `limit` + 1 if there are more than `limit`."""
        await self.sites.get(caller, site_id)
        return await self.gaps.list_page(caller.tenant_id, site_id, state, after, limit + 1)

    async def get_details(self, caller: OperatorCaller, site_id: int, gap_id: int) -> GapDetails:
        """Raises GapNotFound."""
        await self.sites.get(caller, site_id)
        gap = await self.gaps.get(caller.tenant_id, site_id, gap_id)
        examples = await self.gaps.list_questions(gap, _EXAMPLES)
        weeks = await self.gaps.count_weeks(gap, _first_monday(self.clock(), SHOWN_WEEKS))
        return GapDetails(gap, examples, weeks, await self._draft_entry(gap, examples))

    async def set_state(self, caller: OperatorCaller, site_id: int, gap_id: int, state: GapState) -> Gap:
        """Dismiss a gap, open it again, or mark it as answered elsewhere. Raises GapNotFound."""
        await self.sites.get(caller, site_id)
        gap = await self.gaps.get(caller.tenant_id, site_id, gap_id)
        if await self.gaps.set_state(gap, state, self.clock()):
            action = {"open": "reopened"}.get(state, state)
            await self.audit.record(caller, f"knowledge_gap.{action}", f"knowledge_gap:{gap_id}", site_id)
        return await self.gaps.get(caller.tenant_id, site_id, gap_id)

    async def make_entry(
        self, caller: OperatorCaller, site_id: int, gap_id: int, question: str, answer: str
    ) -> KnowledgeEntry:
        """Add a knowledge entry that closes a gap. Raises GapNotFound, GapAnswered, KnowledgeFull."""
        await self.sites.get(caller, site_id)
        gap = await self.gaps.get(caller.tenant_id, site_id, gap_id)
        # Of two managers who do this at once, one adds an entry: both have the same id for it.
        entry_id = await self.gaps.reserve_entry(gap, await self.entries.next_id())
        try:
            entry = await self.entries.add(caller, site_id, question, answer, entry_id)
        except EntryExists:
            # The process that added it may have ended before the mark.
            await self.gaps.set_entry(gap, entry_id, self.clock())
            raise GapAnswered from None
        await self.gaps.set_entry(gap, entry_id, self.clock())
        details = {"entry": entry_id}
        await self.audit.record(caller, "knowledge_gap.answered", f"knowledge_gap:{gap_id}", site_id, details)
        return entry

    async def _draft_entry(self, gap: Gap, examples: list[UnansweredQuestion]) -> EntryDraft:
        """The newest answer of an operator to one of the questions."""
        for example in examples:
            answer = await self._find_answer(example)
            if answer:
                return EntryDraft(example.text, answer, example.conversation_id)
        return EntryDraft(gap.question, "")

    async def _find_answer(self, question: UnansweredQuestion) -> str:
        """What an operator wrote first after a question that says something, until the visitor writes again."""
        conversation = await self.conversations.find(question.tenant_id, question.conversation_id)
        if conversation is None:
            return ""
        messages = await self.messages.list_for_conversation(conversation, after_seq=question.seq, limit=_MESSAGES_READ)
        answer: list[str] = []
        for message in messages:
            text = message.content.strip()
            if message.role == "operator" and _says_something(text):
                answer.append(text)
            elif message.role == "visitor" and answer:
                break
        return "\n\n".join(answer[:_MAX_ANSWER_MESSAGES])[:_MAX_ANSWER_CHARACTERS]


def _says_something(text: str) -> bool:
    return len(text) >= _MIN_ANSWER_CHARACTERS and not is_greeting(text) and not is_thanks(text)


def _first_monday(now: datetime, weeks: int) -> datetime:
    """With which the last `weeks` weeks begin, this one among them."""
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    return monday - timedelta(weeks=weeks - 1)
