"""Wiring of corrections."""

from __future__ import annotations

from parley.chat.admin_module import AdminModule
from parley.chat.conversations.module import ConversationModule
from parley.chat.corrections.handlers import CorrectionHandlers
from parley.chat.corrections.repository import MongoCorrectionRepository
from parley.chat.corrections.service import CorrectionService
from parley.chat.knowledge_sources.module import KnowledgeSourceModule
from parley.chat.mongo_ids import BlockIdGenerator
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import Clock, utc_now


class CorrectionModule:
    def __init__(
        self,
        mongo: Mongo,
        admin: AdminModule,
        conversations: ConversationModule,
        sources: KnowledgeSourceModule,
        clock: Clock = utc_now,
    ) -> None:
        self.corrections = MongoCorrectionRepository(mongo)
        self.handlers = CorrectionHandlers(
            CorrectionService(
                self.corrections,
                admin.site_service,
                conversations.conversation_repository,
                conversations.message_repository,
                admin.knowledge,
                sources.passages,
                admin.audit,
                BlockIdGenerator(mongo, "correction").next,
                clock,
            )
        )

    async def remove_site(self, site_id: int) -> None:
        await self.corrections.remove_site(site_id)
