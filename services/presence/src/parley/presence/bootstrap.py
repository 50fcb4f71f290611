"""Composition root of presence: creates every component and connects them."""

from __future__ import annotations

from datetime import timedelta

from parley.common.auth.identity import IdentitySigner
from parley.common.http import build_app
from parley.common.messaging import BrokerConnection, RpcClient
from parley.common.mongodb import TRANSIENT_ERRORS, Mongo, MongoIdempotencyStore, Outbox
from parley.common.runtime.clock import utc_now
from parley.common.runtime.service import Service
from parley.common.runtime.service import main as run_service
from parley.common.runtime.settings import load_settings
from parley.common.runtime.tasks import PeriodicTask
from parley.presence import consumers
from parley.presence.clients.site_directory import RpcSiteDirectory
from parley.presence.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.presence.operators.handlers import OperatorHandlers
from parley.presence.operators.repository import MongoOperatorRepository
from parley.presence.operators.service import OperatorService
from parley.presence.routes import build_routes
from parley.presence.settings import PresenceSettings
from parley.presence.timeouts import ONLINE_METRIC_INTERVAL_SECONDS, OUTBOX_GRACE
from parley.presence.visitors.handlers import VisitorHandlers
from parley.presence.visitors.heartbeat_buffer import HeartbeatBuffer
from parley.presence.visitors.repository import MongoVisitorRepository
from parley.presence.visitors.service import VisitorService


async def serve(settings: PresenceSettings) -> None:
    """Run the service until a signal stops it."""
    broker = BrokerConnection(settings.amqp_url, log_partitions=settings.log_partitions)
    mongo = Mongo(settings.mongodb_uri, f"{settings.database_prefix}_presence", SCHEMA, settings.schema_mode)
    outbox = Outbox(mongo, broker, OUTBOX_COLLECTIONS, grace=OUTBOX_GRACE)
    chat = RpcClient("chat")
    sites = RpcSiteDirectory(chat)
    online_seconds = settings.online_seconds

    operators = OperatorService(MongoOperatorRepository(mongo, outbox), sites, utc_now, online_seconds=online_seconds)
    visitor_repository = MongoVisitorRepository(mongo, outbox, timedelta(days=settings.silent_visitor_days))
    heartbeats = HeartbeatBuffer(
        visitor_repository,
        utc_now,
        flush_interval_seconds=settings.flush_seconds,
        batch_size=settings.flush_size,
        max_pending=settings.flush_waiting,
    )
    visitors = VisitorService(visitor_repository, heartbeats, sites, utc_now, online_seconds=online_seconds)
    broker.add(chat)
    broker.add(consumers.conversation_consumer(visitors), start_condition=mongo.schema_ready)
    broker.add(consumers.access_consumer(operators), start_condition=mongo.schema_ready)
    broker.add(consumers.rpc_methods(operators, visitors), start_condition=mongo.schema_ready)

    service = Service("presence", settings)
    service.add(mongo)
    service.add(broker, optional=True)
    service.add(outbox)
    service.add(PeriodicTask(settings.sweep_seconds, operators.expire_overdue, "expire-operators"))
    service.add(PeriodicTask(settings.sweep_seconds, visitors.expire_overdue, "expire-visitors"))
    service.add(PeriodicTask(ONLINE_METRIC_INTERVAL_SECONDS, operators.update_online_metric, "count-operators"))
    service.add(PeriodicTask(ONLINE_METRIC_INTERVAL_SECONDS, visitors.update_online_metric, "count-visitors"))
    service.add(heartbeats)
    await service.run(
        build_app(
            build_routes(OperatorHandlers(operators), VisitorHandlers(visitors)),
            signer=IdentitySigner(settings.identity_secret),
            transient_errors=TRANSIENT_ERRORS,
            idempotency=MongoIdempotencyStore(mongo),
            unready_reasons=service.unready_reasons,
        )
    )


def main() -> None:
    """Entry point of the command `parley-presence`."""
    settings = load_settings(PresenceSettings)
    run_service("presence", settings, serve(settings))
