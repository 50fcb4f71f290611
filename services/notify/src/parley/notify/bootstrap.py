"""The composition root: create the service with all its components."""

from __future__ import annotations

import sys

from aiohttp import web

from parley.common.auth.identity import IdentitySigner
from parley.common.http import build_app
from parley.common.messaging import BrokerConnection, RpcClient
from parley.common.mongodb import TRANSIENT_ERRORS, Mongo, MongoIdempotencyStore
from parley.common.mongodb.migration_state import MigrationStateStore
from parley.common.runtime.clock import utc_now
from parley.common.runtime.service import Service
from parley.common.runtime.service import main as run_service
from parley.common.runtime.settings import load_settings
from parley.notify.consumers import erasure_consumer, rpc_server
from parley.notify.mail.module import MailModule
from parley.notify.mongo_schema import SCHEMA
from parley.notify.push.module import PushModule
from parley.notify.settings import NotifySettings
from parley.notify.streaming.module import StreamingModule
from parley.notify.streaming.single_log_removal import SingleLogRemoval
from parley.notify.tickets.handlers import TicketHandlers
from parley.notify.tickets.repository import MongoTicketRepository
from parley.notify.tickets.routes import ticket_routes
from parley.notify.tickets.service import TicketService

_NAME = "notify"
_EX_CONFIG = 78


def build(settings: NotifySettings) -> tuple[Service, web.Application]:
    """Return the service, not started, and its public application. Raises ValueError for an unusable FCM key."""
    service = Service(_NAME, settings)
    database = f"{settings.database_prefix}_{_NAME}"
    mongo = service.add(Mongo(settings.mongodb_uri, database, SCHEMA, settings.schema_mode))
    broker = service.add(BrokerConnection(settings.amqp_url, log_partitions=settings.log_partitions), optional=True)
    streaming = StreamingModule(settings, broker)
    tickets = TicketHandlers(TicketService(MongoTicketRepository(mongo), utc_now))
    broker.add(SingleLogRemoval(lambda: _is_single_log_over(mongo)), start_condition=mongo.schema_ready)
    chat = RpcClient("chat")
    broker.add(chat)
    push = PushModule(settings, mongo, broker, streaming, chat)
    mail = MailModule(settings, mongo, broker, chat)
    stored = (push.privacy, mail.privacy)
    broker.add(erasure_consumer(stored), start_condition=mongo.schema_ready)
    broker.add(rpc_server(stored, push.reachable), start_condition=mongo.schema_ready)
    for component in (*streaming.components, *push.components, *mail.components):
        service.add(component)
    app = build_app(
        [*streaming.routes, *ticket_routes(tickets), *push.routes],
        signer=IdentitySigner(settings.identity_secret),
        transient_errors=TRANSIENT_ERRORS,
        idempotency=MongoIdempotencyStore(mongo),
        unready_reasons=service.unready_reasons,
    )
    app.on_shutdown.append(streaming.drain)
    return service, app


async def _is_single_log_over(mongo: Mongo) -> bool:
    """Whether no replica of the version before the log's partitions may be running."""
    state = await MigrationStateStore(mongo.database, _NAME).read()
    return not state.pending(SCHEMA)


async def serve(settings: NotifySettings) -> None:
    """Run until SIGTERM. Exits with status 78 (EX_CONFIG) for an unusable FCM key."""
    try:
        service, app = build(settings)
    except ValueError as exc:
        # Only the type: the message might quote the key.
        message = f"PARLEY_FCM_CREDENTIALS: {type(exc).__name__}: the private key cannot be read"
        print(message, file=sys.stderr)  # noqa: T201
        raise SystemExit(_EX_CONFIG) from None
    await service.run(app)


def main() -> None:
    """Run the program `parley-notify`."""
    settings = load_settings(NotifySettings)
    run_service(_NAME, settings, serve(settings))
