"""Chat's subscriptions at the broker: events and RPC for one of the replicas, invalidations for each of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from parley.chat.assignment.consumers import AssignmentHandlers
from parley.chat.backends import Backends
from parley.chat.consumers import ConversationRpc, EventHandlers
from parley.chat.features import Features
from parley.chat.reports.collector import FIRST_MESSAGES, REPORT_PREFETCH
from parley.common.events import Event
from parley.common.events.team import SiteChanged
from parley.common.messaging import BroadcastSubscriber, Consumer, RpcServer
from parley.common.messaging.topology import EVENTS_EXCHANGE


def add_subscriptions(backends: Backends, features: Features) -> None:
    admin, conversations = features.admin, features.conversations
    broker, schema_ready = backends.broker, backends.mongo.schema_ready
    handlers = EventHandlers(
        conversations.presence,
        conversations.message_translations,
        conversations.conversations,
        conversations.lost_access,
        features.search.feed,
    )
    assignment = AssignmentHandlers(conversations.assigner, conversations.queue_places, conversations.waits)
    rpc = ConversationRpc(conversations.queries, conversations.transcripts)
    on_visitor_erased = conversations.conversation_repository.on_visitor_erased
    broker.add(BroadcastSubscriber("erasures", EVENTS_EXCHANGE, ("*.*.visitor.erased",), on_visitor_erased))
    broker.add(_site_invalidations(features))
    broker.add(Consumer("chat", "facts", handlers.by_type()), start_condition=schema_ready)
    broker.add(Consumer("chat", "assignments", assignment.by_type()), start_condition=schema_ready)
    broker.add(
        Consumer("chat", "search", {"site.changed": _remove_deleted_site(features)}),
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


def _remove_deleted_site(features: Features) -> Callable[[Event], Awaitable[None]]:
    async def on_event(event: Event) -> None:
        if event.parse_data(SiteChanged).deleted:
            await features.search.index.remove_site(event.tenant_id, event.site_id)
            await features.ai.retrieval.remove_site(event.site_id)
            await features.answer_tests.remove_site(event.site_id)
            await features.gaps.remove_site(event.site_id)
            await features.corrections.remove_site(event.site_id)

    return on_event


def _site_invalidations(features: Features) -> BroadcastSubscriber:
    """Discards what this replica has cached of a site that another replica has changed."""
    admin, ai = features.admin, features.ai

    async def on_event(event: Event) -> None:
        admin.cached_sites.invalidate(event.tenant_id, event.site_id)
        ai.engines.invalidate(event.site_id)

    def on_gap() -> None:
        admin.cached_sites.clear()
        ai.engines.clear()

    subscriber = BroadcastSubscriber("sites", EVENTS_EXCHANGE, ("*.*.site.changed",), on_event, on_gap)
    admin.cached_sites.is_connected = lambda: subscriber.running
    return subscriber
