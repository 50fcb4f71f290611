"""Answer tests, for those who manage a site."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from parley.chat.accounts.access import require_permission
from parley.chat.answer_tests.errors import (
    MAX_TESTS,
    AnswerTestNotFound,
)
from parley.chat.answer_tests.generation import draft_test, question_key
from parley.chat.answer_tests.model import (
    AnswerTest,
    AnswerTestDraft,
    JudgedAnswer,
    Origin,
    RunResult,
    TestRun,
)
from parley.chat.answer_tests.ports import (
    AnswerTestRepository,
    ConversationReader,
    MessageReader,
    RealAnswers,
    TestRunRepository,
)
from parley.chat.audit.service import AuditService
from parley.chat.conversations.errors import ConversationNotFound
from parley.chat.ids import NextId
from parley.chat.retrieval.model import Passage
from parley.chat.sites.service import SiteService
from parley.chat.sites.site_settings import SiteSettings
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.runtime.clock import Clock

_MESSAGES_SEARCHED = 200
ListQuestions = Callable[[SiteSettings], Awaitable[Sequence[Passage]]]
"""The questions with answers of a site's knowledge, as passages."""


@dataclass(frozen=True, slots=True)
class AnswerTestService:
    """Methods raise NotFound, and Forbidden without the route's permission on the site."""

    tests: AnswerTestRepository
    runs: TestRunRepository
    sites: SiteService
    list_questions: ListQuestions
    conversations: ConversationReader
    messages: MessageReader
    real_answers: RealAnswers
    audit: AuditService
    next_id: NextId
    clock: Clock

    async def list_page(self, caller: OperatorCaller, site_id: int, after: int, limit: int) -> list[AnswerTest]:
        """A site's tests by id; `limit` + 1 if there are more than `limit`."""
        await self.sites.get(caller, site_id)
        return await self.tests.list_page(caller.tenant_id, site_id, after, limit + 1)

    async def list_all(self, caller: OperatorCaller, site_id: int) -> list[AnswerTest]:
        await self.sites.get(caller, site_id)
        return await self.tests.list_page(caller.tenant_id, site_id, 0, 2 * MAX_TESTS)

    async def add(
        self,
        caller: OperatorCaller,
        site_id: int,
        draft: AnswerTestDraft,
        conversation_id: int | None = None,
        seq: int | None = None,
    ) -> AnswerTest:
        """Add a test; with a conversation, one that was made from an answer in it. Raises TooManyAnswerTests.

        Raises ConversationNotFound, and Forbidden if the caller may not see the site's conversations.
        """
        await self.sites.get(caller, site_id)
        origin = Origin()
        if conversation_id is not None:
            origin = await self._find_origin(caller, site_id, draft, conversation_id, seq)
        test = await self._build(caller, site_id, draft, origin)
        await self.tests.add([test], MAX_TESTS)
        await self.audit.record(caller, "answer_test.created", f"answer_test:{test.id}", site_id)
        return test

    async def replace(self, caller: OperatorCaller, site_id: int, test_id: int, draft: AnswerTestDraft) -> AnswerTest:
        """Raises AnswerTestNotFound."""
        await self.sites.get(caller, site_id)
        before = await self.tests.get(caller.tenant_id, site_id, test_id)
        after = self._change(before, draft)
        if not await self.tests.replace(after):
            raise AnswerTestNotFound
        await self.audit.record(caller, "answer_test.updated", f"answer_test:{test_id}", site_id)
        return after

    async def delete(self, caller: OperatorCaller, site_id: int, test_id: int) -> None:
        """Raises AnswerTestNotFound."""
        await self.sites.get(caller, site_id)
        if not await self.tests.delete(caller.tenant_id, site_id, test_id):
            raise AnswerTestNotFound
        await self.audit.record(caller, "answer_test.deleted", f"answer_test:{test_id}", site_id)

    async def generate(self, caller: OperatorCaller, site_id: int) -> int:
        """Make a test of each question of the knowledge that has none. Returns how many; no more than fit.

        Raises TooManyAnswerTests if others are added meanwhile.
        """
        site = await self.sites.get(caller, site_id)
        existing = await self.tests.list_page(caller.tenant_id, site_id, 0, 2 * MAX_TESTS)
        known = {question_key(test.question) for test in existing}
        drafts: list[AnswerTestDraft] = []
        for passage in await self.list_questions(site.settings):
            key = question_key(passage.title)
            if key and key not in known and len(existing) + len(drafts) < MAX_TESTS:
                known.add(key)
                drafts.append(draft_test(passage))
        added = [await self._build(caller, site_id, draft, Origin("knowledge")) for draft in drafts]
        await self.tests.add(added, MAX_TESTS)
        await self._record_many(caller, site_id, "answer_test.generated", created=len(added))
        return len(added)

    async def import_tests(
        self, caller: OperatorCaller, site_id: int, drafts: Sequence[AnswerTestDraft]
    ) -> tuple[int, int]:
        """Add tests; one with the question and language of an existing test replaces it. Returns added and replaced.

        Raises TooManyAnswerTests, and then imports none.
        """
        await self.sites.get(caller, site_id)
        existing = await self.tests.list_page(caller.tenant_id, site_id, 0, 2 * MAX_TESTS)
        by_key = {_key(test): test for test in existing}
        unique = {_key(draft): draft for draft in drafts}
        added = [draft for key, draft in unique.items() if key not in by_key]
        built = [await self._build(caller, site_id, draft, Origin("import")) for draft in added]
        await self.tests.add(built, MAX_TESTS)
        replaced = 0
        for key, draft in unique.items():
            if key in by_key:
                replaced += await self.tests.replace(self._change(by_key[key], draft))
        await self._record_many(caller, site_id, "answer_test.imported", created=len(added), replaced=replaced)
        return len(added), replaced

    async def list_replays(
        self, caller: OperatorCaller, site_id: int, run_id: int, changed: bool | None, after: int, limit: int
    ) -> list[RunResult]:
        """The real answers and what they would be, in order; `limit` + 1 if there are more. Raises TestRunNotFound."""
        await self.sites.get(caller, site_id)
        run = await self.runs.get(caller.tenant_id, site_id, run_id)
        results = await self.runs.list_results(run, "replay", None, changed, after, limit + 1)
        return [await self._with_real_answer(run, result) for result in results]

    async def _with_real_answer(self, run: TestRun, result: RunResult) -> RunResult:
        assert result.replay is not None
        real = await self.real_answers.read(run.tenant_id, run.site_id, result.replay)
        if real is None:
            return result
        return replace(result, question=real.question, language=real.language, live=JudgedAnswer(real.answer))

    async def _find_origin(
        self, caller: OperatorCaller, site_id: int, draft: AnswerTestDraft, conversation_id: int, seq: int | None
    ) -> Origin:
        conversation = await self.conversations.find(caller.tenant_id, conversation_id)
        if conversation is None or conversation.site_id != site_id:
            raise ConversationNotFound
        require_permission(caller, conversation.tenant_id, site_id, Permission.VIEW)
        messages = await self.messages.list_for_conversation(conversation, limit=_MESSAGES_SEARCHED)
        asked = {question_key(message.content) for message in messages if message.role == "visitor"}
        return Origin("chat", conversation_id, seq, verbatim=question_key(draft.question) in asked)

    async def _build(self, caller: OperatorCaller, site_id: int, draft: AnswerTestDraft, origin: Origin) -> AnswerTest:
        now = self.clock()
        return AnswerTest(
            await self.next_id(),
            caller.tenant_id,
            site_id,
            draft.question,
            draft.language,
            draft.expectation,
            now,
            now,
            draft.enabled,
            origin,
        )

    def _change(self, before: AnswerTest, draft: AnswerTestDraft) -> AnswerTest:
        same = question_key(before.question) == question_key(draft.question)
        return replace(
            before,
            question=draft.question,
            language=draft.language,
            expectation=draft.expectation,
            enabled=draft.enabled,
            updated_at=self.clock(),
            # What a person has rewritten is not the visitor's any more.
            origin=replace(before.origin, verbatim=before.origin.verbatim and same),
        )

    async def _record_many(self, caller: OperatorCaller, site_id: int, action: str, **counts: int) -> None:
        await self.audit.record(caller, action, f"site:{site_id}", site_id, counts)


def _key(test: AnswerTest | AnswerTestDraft) -> tuple[str, str]:
    return question_key(test.question), (test.language or "").lower()
