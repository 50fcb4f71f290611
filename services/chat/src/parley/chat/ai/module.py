"""Wiring of the AI: engines, token budget, replies to visitors, and the operators' copilot."""

from __future__ import annotations

from collections.abc import Sequence

from parley.chat.admin_module import AdminModule
from parley.chat.ai import timeouts
from parley.chat.ai.doctor import EngineDoctor
from parley.chat.ai.engine_catalog import AiEngineCatalog
from parley.chat.ai.engine_chain import EngineChains, UnrecordedStates
from parley.chat.ai.engines.context import EngineContext
from parley.chat.ai.metered_embedder import MeteredEmbedder
from parley.chat.ai.ports import VisitorImages
from parley.chat.ai.reply_generator import ReplyGenerator
from parley.chat.ai.reply_service import AiReplyService
from parley.chat.ai.spending_service import SpendingService
from parley.chat.ai.usage_repository import MongoTokenBudget
from parley.chat.backends import Backends
from parley.chat.conversations.module import ConversationModule
from parley.chat.copilot.service import CopilotService
from parley.chat.retrieval.ports import PassageSource
from parley.chat.retrieval.service import RetrievalService
from parley.chat.retrieval.worker_client import WorkerSearcher
from parley.chat.settings import ChatSettings
from parley.chat.tools.session import ToolSessions
from parley.common.runtime.clock import Clock, utc_now
from parley.common.runtime.service import Service
from parley.common.runtime.tasks import BackgroundTasks, PeriodicTask


class AiModule:
    def __init__(
        self,
        backends: Backends,
        admin: AdminModule,
        conversations: ConversationModule,
        settings: ChatSettings,
        passage_sources: Sequence[PassageSource],
        tools: ToolSessions,
        images: VisitorImages,
        clock: Clock = utc_now,
    ) -> None:
        self.engines = AiEngineCatalog(EngineContext(settings, admin.site_key_cipher, admin.ssrf_guard))
        self._tasks = BackgroundTasks("answers")
        self.budget = budget = MongoTokenBudget(
            backends.mongo,
            clock,
            settings.ai_daily_tokens,
            session_share=settings.ai_session_share,
            address_share=settings.ai_address_share,
        )
        self._searcher = WorkerSearcher()
        self._vectors, self._clock = admin.passage_vectors, clock
        self.retrieval = self.create_retrieval(passage_sources)
        self._chains = EngineChains(self.engines, admin.site_repository, clock)
        self.test_engines = EngineChains(self.engines, UnrecordedStates(), clock)
        self.replies = AiReplyService(
            conversations.conversation_repository,
            conversations.message_repository,
            self._create_generator(admin, conversations, tools, images),
            clock,
            self._tasks.spawn,
        )
        self.doctor = EngineDoctor(
            admin.site_service,
            admin.site_repository,
            admin.ai_settings,
            self.engines.openai,
            budget,
            admin.audit,
            clock,
        )
        self.spending = SpendingService(admin.site_service, budget)
        self.copilot = CopilotService(
            conversations.conversation_repository,
            conversations.message_repository,
            admin.cached_sites,
            self.retrieval,
            self._chains,
            budget,
            admin.site_repository,
            clock,
        )

    def _create_generator(
        self, admin: AdminModule, conversations: ConversationModule, tools: ToolSessions, images: VisitorImages
    ) -> ReplyGenerator:
        return ReplyGenerator(
            conversations.conversation_repository,
            conversations.message_repository,
            admin.site_directory,
            self.retrieval,
            self._chains,
            self.budget,
            conversations.presence,
            self._clock,
            conversations.next_message_id,
            admin.site_repository,
            tools,
            images,
        )

    def create_retrieval(self, sources: Sequence[PassageSource]) -> RetrievalService:
        """Another index of each site: of other sources, or for other settings than those that are live."""
        embedder = MeteredEmbedder(self.engines.openai, self.budget)
        return RetrievalService(sources, self._vectors, self._searcher, embedder, self._clock, self._tasks.spawn)

    def add_to(self, service: Service) -> None:
        service.add(self.engines)
        service.add(self._searcher)
        service.add(self._tasks)
        service.add(
            PeriodicTask(timeouts.EXPIRED_LEASE_CHECK_SECONDS, self.replies.resume_expired, "expired-reply-leases")
        )
