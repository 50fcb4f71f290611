"""Corrections, for operators who find a wrong answer, and for managers, who put the right one into the knowledge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parley.chat.accounts.access import require_permission
from parley.chat.actors import operator_ref
from parley.chat.audit.service import AuditService
from parley.chat.conversations.errors import ConversationNotFound
from parley.chat.corrections.errors import AnswerNotFound, CorrectionApplied
from parley.chat.corrections.model import (
    MAX_TEXT_CHARACTERS,
    AffectedConversation,
    AffectedPage,
    AnsweredQuestion,
    CitedPassage,
    Correction,
    PassageState,
)
from parley.chat.corrections.ports import (
    ConversationReader,
    CorrectionRepository,
    DocumentPassages,
    KnowledgeWriter,
    MessageReader,
)
from parley.chat.ids import NextId
from parley.chat.knowledge.errors import EntryExists
from parley.chat.knowledge.model import content_version
from parley.chat.sites.service import SiteService
from parley.chat.sites.site_settings import SiteSettings
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.runtime.clock import Clock

_MESSAGES_READ = 100
"""Before an answer, among which its question is."""


@dataclass(frozen=True, slots=True)
class CorrectionService:
    """Methods raise NotFound, and Forbidden without the route's permission on the site."""

    corrections: CorrectionRepository
    sites: SiteService
    conversations: ConversationReader
    messages: MessageReader
    knowledge: KnowledgeWriter
    documents: DocumentPassages
    audit: AuditService
    next_id: NextId
    clock: Clock

    async def find_passages(
        self, caller: OperatorCaller, site_id: int, conversation_id: int, seq: int
    ) -> tuple[AnsweredQuestion, Sequence[CitedPassage]]:
        """An answer of the AI, and the passages that it cites. Raises ConversationNotFound, AnswerNotFound."""
        site = await self.sites.get(caller, site_id)
        answered = await self._find_answer(caller, site_id, conversation_id, seq)
        return answered, [await self._find_passage(site.settings, reference) for reference in answered.cited]

    async def add(
        self, caller: OperatorCaller, site_id: int, conversation_id: int, seq: int, note: str, right_answer: str
    ) -> Correction:
        """Note that an answer of the AI is wrong, and what is right.

        An operator has one report of an answer until it is applied: another one replaces its texts.

        Raises ConversationNotFound and AnswerNotFound, and Forbidden if the caller may not see the conversation.
        """
        await self.sites.get(caller, site_id)
        answered = await self._find_answer(caller, site_id, conversation_id, seq)
        correction = Correction(
            await self.next_id(),
            caller.tenant_id,
            site_id,
            conversation_id,
            seq,
            answered.question[:MAX_TEXT_CHARACTERS],
            answered.answer[:MAX_TEXT_CHARACTERS],
            note,
            right_answer,
            answered.cited,
            operator_ref(caller),
            self.clock(),
        )
        if (replaced := await self.corrections.replace_open(correction)) is not None:
            return replaced
        await self.corrections.add(correction)
        await self.audit.record(caller, "correction.created", f"correction:{correction.id}", site_id)
        return correction

    async def list_page(self, caller: OperatorCaller, site_id: int, before: int, limit: int) -> list[Correction]:
        """Newest first; `limit` + 1 if there are more than `limit`."""
        await self.sites.get(caller, site_id)
        return await self.corrections.list_page(caller.tenant_id, site_id, before, limit + 1)

    async def apply(
        self,
        caller: OperatorCaller,
        site_id: int,
        correction_id: int,
        question: str,
        answer: str,
        entry_id: int | None,
        entry_version: str | None = None,
    ) -> Correction:
        """Put the right answer into the knowledge: into an entry that there is, of a version, or as a new one.

        Raises CorrectionNotFound, CorrectionApplied, EntryNotFound, EntryChanged, KnowledgeFull.
        """
        await self.sites.get(caller, site_id)
        correction = await self.corrections.get(caller.tenant_id, site_id, correction_id)
        if correction.entry_id is not None:
            raise CorrectionApplied
        # The mark comes last: a process that ends before leaves a correction that can be applied again.
        if entry_id is None:
            entry_id = await self._add_entry(caller, correction, question, answer)
        else:
            await self.knowledge.replace(caller, site_id, entry_id, question, answer, entry_version)
        await self.corrections.set_entry(correction, entry_id)
        details = {"entry": entry_id}
        await self.audit.record(caller, "correction.applied", f"correction:{correction_id}", site_id, details)
        return await self.corrections.get(caller.tenant_id, site_id, correction_id)

    async def list_affected(
        self, caller: OperatorCaller, site_id: int, correction_id: int, before: int, limit: int
    ) -> AffectedPage:
        """Conversations in which the AI had cited the same before, newest first. Raises CorrectionNotFound.

        A page has fewer than `limit` if some of its conversations were removed meanwhile.
        """
        await self.sites.get(caller, site_id)
        correction = await self.corrections.get(caller.tenant_id, site_id, correction_id)
        if not correction.cited:
            return AffectedPage((), None)
        affected = await self.corrections.find_affected(correction, before, limit + 1)
        ids = list(affected)[:limit]
        conversations = await self.corrections.list_conversations(caller.tenant_id, ids)
        rows = [AffectedConversation(conversations[one], affected[one]) for one in ids if one in conversations]
        return AffectedPage(rows, ids[-1] if len(affected) > limit else None)

    async def _add_entry(self, caller: OperatorCaller, correction: Correction, question: str, answer: str) -> int:
        """Of two managers who do this at once, one adds an entry: both have the same id for it."""
        entry_id = await self.corrections.reserve_entry(correction, await self.knowledge.next_id())
        try:
            await self.knowledge.add(caller, correction.site_id, question, answer, entry_id)
        except EntryExists:
            await self.corrections.set_entry(correction, entry_id)
            raise CorrectionApplied from None
        return entry_id

    async def _find_answer(
        self, caller: OperatorCaller, site_id: int, conversation_id: int, seq: int
    ) -> AnsweredQuestion:
        conversation = await self.conversations.find(caller.tenant_id, conversation_id)
        if conversation is None or conversation.site_id != site_id:
            raise ConversationNotFound
        require_permission(caller, conversation.tenant_id, site_id, Permission.VIEW)
        messages = await self.messages.list_for_conversation(conversation, before_seq=seq + 1, limit=_MESSAGES_READ)
        answer = next((message for message in messages if message.seq == seq and message.role == "ai"), None)
        if answer is None:
            raise AnswerNotFound
        question = next((message.content for message in messages if message.seq == answer.reply_to), "")
        return AnsweredQuestion(conversation, seq, question, answer.content, answer.cited)

    async def _find_passage(self, site: SiteSettings, reference: str) -> CitedPassage:
        kind, source, _ = reference.split(":")
        if kind == "knowledge":
            passages = [one for one in await self.knowledge.list_passages(site) if one.id == f"knowledge:{source}"]
            for passage in passages:
                state: PassageState = "current" if passage.reference == reference else "changed"
                version = content_version(passage.title, passage.text)
                return CitedPassage(
                    reference, "knowledge", int(source), state, passage.title, passage.text, version=version
                )
            return CitedPassage(reference, "knowledge", int(source), "gone")
        passages = list(await self.documents.list_of_document(site, int(source)))
        for passage in passages:
            if passage.reference == reference:
                heading, text = passage.heading, passage.text
                return CitedPassage(reference, "document", int(source), "current", heading, text, passage.url)
        if passages:
            first = passages[0]
            return CitedPassage(reference, "document", int(source), "changed", first.title, "", first.url)
        return CitedPassage(reference, "document", int(source), "gone")
