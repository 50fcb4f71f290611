"""Replicas of chat with its AI, on the database of a test's app, and a shop whose visitors write to it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from parley.chat.ai.engine_catalog import AiEngineCatalog
from parley.chat.ai.engine_chain import EngineChains
from parley.chat.ai.engines.context import EngineContext
from parley.chat.ai.metered_embedder import MeteredEmbedder
from parley.chat.ai.model import ReplyOutcome
from parley.chat.ai.reply_generator import ReplyGenerator
from parley.chat.ai.reply_service import AiReplyService
from parley.chat.ai.usage_repository import MongoTokenBudget
from parley.chat.backends import Backends
from parley.chat.conversations.module import ConversationModule
from parley.chat.messages.visitor_service import ReceivedMessage
from parley.chat.retrieval.service import RetrievalService
from parley.chat.retrieval.worker_client import WorkerSearcher
from parley.chat.settings import ChatSettings
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.messaging import RpcClient
from parley.common.runtime.tasks import BackgroundTasks
from support.admin_app import AdjustableClock, AdminTestApp
from support.openai_server import FakeOpenAIServer


class Replica:
    """The conversations and the AI of one chat process."""

    def __init__(self, app: AdminTestApp, settings: ChatSettings) -> None:
        rpc = {name: RpcClient(name) for name in ("presence", "translate", "notify")}
        backends = Backends(app.mongo, app.broker, app.outbox, rpc)
        self.clock = AdjustableClock(app.clock.offset)
        self.module = module = ConversationModule(backends, app.admin, settings, self.clock)
        self.engines = AiEngineCatalog(EngineContext(settings, app.admin.site_key_cipher, app.admin.ssrf_guard))
        self.budget = MongoTokenBudget(app.mongo, self.clock, 0)
        self.tasks = BackgroundTasks("replies")
        self.searcher = WorkerSearcher()
        self.retrieval = RetrievalService(
            (app.admin.knowledge, app.knowledge_sources.passages),
            app.admin.passage_vectors,
            self.searcher,
            MeteredEmbedder(self.engines.openai, self.budget),
            self.clock,
            self.tasks.spawn,
        )
        generator = ReplyGenerator(
            module.conversation_repository,
            module.message_repository,
            app.admin.site_directory,
            self.retrieval,
            EngineChains(self.engines, app.admin.site_repository, self.clock),
            self.budget,
            module.presence,
            self.clock,
            module.next_message_id,
            app.admin.site_repository,
            app.tools.sessions,
            app.uploads,
        )
        self.replies = AiReplyService(
            module.conversation_repository, module.message_repository, generator, self.clock, self.tasks.spawn
        )

    async def receive(
        self,
        visitor: VisitorCaller,
        content: str,
        message_id: str | None = None,
        confirms: str | None = None,
        image_url: str | None = None,
    ) -> ReceivedMessage:
        return await self.module.visitor_messages.receive(
            visitor, content, message_id=message_id, confirms=confirms, image_url=image_url
        )

    async def read_reply(self, received: ReceivedMessage) -> tuple[str, ReplyOutcome]:
        """Start or join the reply, and wait for its end."""
        parts = [part async for part in self.replies.subscribe(received, self.replies.start_or_join(received))]
        outcome = parts.pop()
        assert isinstance(outcome, ReplyOutcome)
        return "".join(map(str, parts)), outcome

    async def ask(self, visitor: VisitorCaller, content: str, confirms: str | None = None) -> tuple[str, ReplyOutcome]:
        """Write as a visitor, and read the reply."""
        return await self.read_reply(await self.receive(visitor, content, confirms=confirms))

    async def stop(self) -> None:
        await self.tasks.stop(0)
        await self.engines.stop()
        await self.searcher.stop()


@asynccontextmanager
async def run_replicas(app: AdminTestApp, endpoint: FakeOpenAIServer) -> AsyncIterator[tuple[Replica, Replica]]:
    settings = ChatSettings(
        env="development",
        identity_secret=secrets.token_hex(32),
        amqp_url="amqp://unused",
        mongodb_uri="mongodb://unused",
        openai_url=endpoint.url,
        openai_api_key="sk-installation",
    )
    both = Replica(app, settings), Replica(app, settings)
    yield both
    for replica in both:
        await replica.stop()


class Shop:
    """A site with its owner, and visitors of it."""

    def __init__(self, app: AdminTestApp, owner: OperatorCaller, site_id: int) -> None:
        self.app, self.owner, self.site_id = app, owner, site_id

    @classmethod
    async def create(cls, app: AdminTestApp, **chatbot: object) -> Shop:
        owner = await app.create_tenant()
        site = await app.create_site(owner)
        shop = cls(app, await app.get_caller(owner.operator_id), site["id"])
        if chatbot:
            await shop.configure(**chatbot)
        return shop

    def new_visitor(self) -> VisitorCaller:
        return VisitorCaller(self.owner.tenant_id, self.site_id, f"sess_{secrets.token_hex(16)}")

    async def configure(self, **chatbot: object) -> None:
        (await self.app.call("PUT", f"/api/v1/sites/{self.site_id}/chatbot", self.owner, chatbot)).ok()
