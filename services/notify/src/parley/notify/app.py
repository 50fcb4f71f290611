"""The composition root: makes every part of notify and gives it what it needs."""

from __future__ import annotations

from aiohttp import web

from parley.common import service
from parley.common.amqp import Bus, Listener
from parley.common.amqp.topology import EPHEMERAL
from parley.common.clock import utc_now
from parley.common.events import Event
from parley.common.identity import IdentitySigner
from parley.common.mongo import OUTAGES, Mongo, MongoIdempotency
from parley.common.service import Service
from parley.common.settings import load
from parley.common.tasks import Every
from parley.common.web import build_app
from parley.notify.domain.tickets import Tickets
from parley.notify.handlers.streams import StreamHandlers
from parley.notify.handlers.tickets import TicketHandlers
from parley.notify.routes import routes
from parley.notify.settings import Settings
from parley.notify.store import tickets as ticket_store
from parley.notify.store.tickets import MongoTickets
from parley.notify.streams.hub import Hub
from parley.notify.streams.serve import Streams
from parley.notify.streams.tail import Tail
from parley.notify.streams.window import Window

_TICK_SECONDS = 0.25


def build(settings: Settings) -> tuple[Service, web.Application]:
    """The service and its public application, not started."""
    service = Service("notify", settings)
    mongo = Mongo(
        settings.mongodb_uri,
        f"{settings.database_prefix}_notify",
        [*ticket_store.INDEXES, *MongoIdempotency.indexes],
    )
    bus = Bus(settings.amqp_url)
    hub = Hub(
        buffer_bytes=settings.stream_buffer_bytes,
        comment_seconds=settings.stream_comment_seconds,
        operator_streams=settings.operator_streams,
        visitor_streams=settings.visitor_streams,
    )
    window = Window(settings.window_seconds, settings.window_bytes)
    tail = Tail(window, hub)

    async def whisper(event: Event) -> None:
        hub.whisper(event)

    async def tick() -> None:
        hub.tick()
        tail.tick()

    bus.add(tail)
    bus.add(Listener("whispers", EPHEMERAL, ["#"], whisper))
    for part in (mongo, bus, tail, Every(_TICK_SECONDS, tick, "tick")):
        service.add(part)
    app = build_app(
        routes(StreamHandlers(Streams(hub, window, tail)), TicketHandlers(Tickets(MongoTickets(mongo), utc_now))),
        signer=IdentitySigner(settings.identity_secret),
        outages=OUTAGES,
        idempotency=MongoIdempotency(mongo),
        ready=service.faults,
    )

    async def drain(_: web.Application) -> None:
        hub.drain()

    app.on_shutdown.append(drain)
    return service, app


async def serve(settings: Settings) -> None:
    """Run until told to stop."""
    built, app = build(settings)
    await built.run(app)


def main() -> None:
    """The program."""
    settings = load(Settings)
    service.main("notify", settings, serve(settings))
