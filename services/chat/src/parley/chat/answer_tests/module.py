"""Wiring of answer tests."""

from __future__ import annotations

from collections.abc import Sequence

from parley.chat.admin_module import AdminModule
from parley.chat.ai.module import AiModule
from parley.chat.answer_tests.answering import QuestionAnswerer
from parley.chat.answer_tests.handlers import AnswerTestHandlers
from parley.chat.answer_tests.real_answers import RealAnswerReader
from parley.chat.answer_tests.repository import MongoAnswerSampler
from parley.chat.answer_tests.runner import TestRunner
from parley.chat.answer_tests.service import AnswerTestService
from parley.chat.conversations.module import ConversationModule
from parley.chat.knowledge_sources.module import KnowledgeSourceModule
from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.retrieval.model import Passage
from parley.chat.sites.site_settings import SiteSettings
from parley.chat.timeouts import TEST_RUN_CHECK_SECONDS
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import Clock, utc_now
from parley.common.runtime.service import Service
from parley.common.runtime.tasks import PeriodicTask


class AnswerTestModule:
    """Creates what answer tests need. Nothing runs before `add_to`."""

    def __init__(
        self,
        mongo: Mongo,
        admin: AdminModule,
        conversations: ConversationModule,
        sources: KnowledgeSourceModule,
        ai: AiModule,
        clock: Clock = utc_now,
    ) -> None:
        tests, runs = admin.answer_tests, admin.answer_test_runs
        self._tests, self._runs = tests, runs
        real_answers = RealAnswerReader(conversations.conversation_repository, conversations.message_repository)
        live = (admin.knowledge, sources.passages)
        answerer = QuestionAnswerer(
            ai.test_engines,
            ai.budget,
            ai.retrieval,
            ai.create_retrieval(live),
            ai.create_retrieval((admin.knowledge, sources.passages_with_changes)),
        )
        self.runner = TestRunner(
            runs, tests, admin.site_directory, answerer, MongoAnswerSampler(mongo), real_answers, clock
        )

        async def list_questions(site: SiteSettings) -> Sequence[Passage]:
            return [*await admin.knowledge.list_passages(site), *await sources.passages.list_questions(site)]

        self.service = AnswerTestService(
            tests,
            runs,
            admin.site_service,
            list_questions,
            conversations.conversation_repository,
            conversations.message_repository,
            real_answers,
            admin.audit,
            BlockIdGenerator(mongo, "answer_test").next,
            clock,
        )
        self.handlers = AnswerTestHandlers(self.service, admin.test_run_service)

    def add_to(self, service: Service) -> None:
        """Carry out the runs in this process, together with the other replicas."""
        service.add(PeriodicTask(TEST_RUN_CHECK_SECONDS, self.runner.run_due, "answer-test-runs"))

    async def remove_site(self, site_id: int) -> None:
        await self._tests.remove_site(site_id)
        await self._runs.remove_site(site_id)
