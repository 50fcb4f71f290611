"""Wiring of gaps."""

from __future__ import annotations

from parley.chat.admin_module import AdminModule
from parley.chat.ai.module import AiModule
from parley.chat.conversations.module import ConversationModule
from parley.chat.knowledge_gaps.grouping import QuestionGrouper
from parley.chat.knowledge_gaps.handlers import GapHandlers
from parley.chat.knowledge_gaps.repository import MongoGapRepository
from parley.chat.knowledge_gaps.service import GapService
from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.timeouts import GAP_CHECK_SECONDS
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import Clock, utc_now
from parley.common.runtime.service import Service
from parley.common.runtime.tasks import PeriodicTask


class KnowledgeGapModule:
    def __init__(
        self,
        mongo: Mongo,
        admin: AdminModule,
        conversations: ConversationModule,
        ai: AiModule,
        clock: Clock = utc_now,
    ) -> None:
        self.gaps = MongoGapRepository(mongo)
        next_id = BlockIdGenerator(mongo, "knowledge_gap").next
        self.grouper = QuestionGrouper(self.gaps, admin.site_directory, ai.retrieval, next_id, clock)
        self.handlers = GapHandlers(
            GapService(
                self.gaps,
                admin.site_service,
                conversations.conversation_repository,
                conversations.message_repository,
                admin.knowledge,
                admin.audit,
                clock,
            )
        )

    def add_to(self, service: Service) -> None:
        service.add(PeriodicTask(GAP_CHECK_SECONDS, self.grouper.group_waiting, "knowledge-gaps"))

    async def remove_site(self, site_id: int) -> None:
        await self.gaps.remove_site(site_id)
