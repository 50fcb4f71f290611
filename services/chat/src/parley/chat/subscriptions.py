"""Chat's subscriptions at the broker: events and RPC for one of the replicas, invalidations for each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from parley.chat.admin_module import AdminModule
from parley.chat.ai.module import AiModule
from parley.chat.answer_tests.module import AnswerTestModule
from parley.chat.assignment.consumers import AssignmentHandlers
from parley.chat.backends import Backends
from parley.chat.consumers import ConversationRpc, EventHandlers
from parley.chat.conversations.module import ConversationModule
from parley.chat.corrections.module import CorrectionModule
from parley.chat.knowledge_gaps.module import KnowledgeGapModule
from parley.chat.reports.collector import FIRST_MESSAGES, REPORT_PREFETCH
from parley.chat.search.module import SearchModule
from parley.common.events import Event
from parley.common.events.team import SiteChanged
from parley.common.messaging import BroadcastSubscriber, Consumer, RpcServer
from parley.common.messaging.topology import EVENTS_EXCHANGE


def add_subscriptions(
    backends: Backends,
    admin: AdminModule,
    conversations: ConversationModule,
    ai: AiModule,
    search: SearchModule,
    answer_tests: AnswerTestModule,
    gaps: KnowledgeGapModule,
    corrections: CorrectionModule,
) -> None:
    broker, schema_ready = backends.broker, backends.mongo.schema_ready
    handlers = EventHandlers(
        conversations.presence,
        conversations.message_translations,
        conversations.conversations,
        conversations.lost_access,
        search.feed,
    )
    assignment = AssignmentHandlers(conversations.assigner, conversations.queue_places, conversations.waits)
    rpc = ConversationRpc(conversations.queries, conversations.transcripts)
    on_visitor_erased = conversations.conversation_repository.on_visitor_erased
    broker.add(BroadcastSubscriber("erasures", EVENTS_EXCHANGE, ("*.*.visitor.erased",), on_visitor_erased))
    broker.add(_site_invalidations(admin, ai))
    broker.add(Consumer("chat", "facts", handlers.by_type()), start_condition=schema_ready)
    broker.add(Consumer("chat", "assignments", assignment.by_type()), start_condition=schema_ready)
    broker.add(
        Consumer("chat", "search", {"site.changed": _remove_deleted_site(search, ai, answer_tests, gaps, corrections)}),
        start_condition=schema_ready,
    )
    broker.add(
        Consumer(
            "chat",
            "reports",
            admin.report_collector.handlers(),
            prefetch=REPORT_PREFETCH,
            binding_patterns={"message.created": FIRST_MESSAGES},
            concurrent_partitions=True,
        ),
        start_condition=schema_ready,
    )
    broker.add(RpcServer("chat", {**rpc.methods(), **admin.rpc_methods()}), start_condition=schema_ready)


def _remove_deleted_site(
    search: SearchModule,
    ai: AiModule,
    answer_tests: AnswerTestModule,
    gaps: KnowledgeGapModule,
    corrections: CorrectionModule,
) -> Callable[[Event], Awaitable[None]]:
    async def on_event(event: Event) -> None:
        if event.parse_data(SiteChanged).deleted:
            await search.index.remove_site(event.tenant_id, event.site_id)
            await ai.retrieval.remove_site(event.site_id)
            await answer_tests.remove_site(event.site_id)
            await gaps.remove_site(event.site_id)
            await corrections.remove_site(event.site_id)

    return on_event


def _site_invalidations(admin: AdminModule, ai: AiModule) -> BroadcastSubscriber:
    """Discards what this replica has cached of a site that another replica has changed."""

    async def on_event(event: Event) -> None:
        admin.cached_sites.invalidate(event.tenant_id, event.site_id)
        ai.engines.invalidate(event.site_id)

    def on_gap() -> None:
        admin.cached_sites.clear()
        ai.engines.clear()

    subscriber = BroadcastSubscriber("sites", EVENTS_EXCHANGE, ("*.*.site.changed",), on_event, on_gap)
    admin.cached_sites.is_connected = lambda: subscriber.running
    return subscriber
