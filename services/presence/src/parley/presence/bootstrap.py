"""The composition root of presence: the only file that sees every other."""

from __future__ import annotations

from datetime import timedelta

from parley.common.auth.identity import IdentitySigner
from parley.common.http import build_app
from parley.common.messaging import Ask, Bus
from parley.common.mongodb import OUTAGES, Mongo, MongoIdempotency, Outbox
from parley.common.runtime.clock import utc_now
from parley.common.runtime.service import Service
from parley.common.runtime.service import main as run
from parley.common.runtime.settings import load
from parley.common.runtime.tasks import Every
from parley.presence import consumers, routes
from parley.presence.clients.sites import ChatSites
from parley.presence.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.presence.operators import repository as operator_store
from parley.presence.operators.handlers import OperatorHandlers
from parley.presence.operators.service import Operators
from parley.presence.settings import PresenceSettings
from parley.presence.visitors import repository as visitor_store
from parley.presence.visitors.handlers import VisitorHandlers
from parley.presence.visitors.heartbeat_buffer import Beats
from parley.presence.visitors.service import Visitors

_COUNT_SECONDS = 15.0
_OUTBOX_GRACE = timedelta(seconds=5)
"""Thousands may come or go in one moment: their events are left a while to the replica that found them, lest all the
others publish them too."""


async def serve(settings: PresenceSettings) -> None:
    """Run presence until it is told to stop."""
    bus = Bus(settings.amqp_url)
    mongo = Mongo(settings.mongodb_uri, f"{settings.database_prefix}_presence", SCHEMA, settings.schema_mode)
    outbox = Outbox(mongo, bus, OUTBOX_COLLECTIONS, grace=_OUTBOX_GRACE)
    ask_chat = Ask("chat")
    sites = ChatSites(ask_chat)

    operators = Operators(operator_store.MongoOperators(mongo, outbox), sites, utc_now, settings.online_seconds)
    records = visitor_store.MongoVisitors(mongo, outbox)
    beats = Beats(
        records, utc_now, seconds=settings.flush_seconds, size=settings.flush_size, waiting=settings.flush_waiting
    )
    visitors = Visitors(records, beats, sites, utc_now, settings.online_seconds)
    bus.add(ask_chat)
    bus.add(consumers.conversations(visitors), after=mongo.prepared)
    bus.add(consumers.access(operators), after=mongo.prepared)
    bus.add(consumers.questions(operators, visitors), after=mongo.prepared)

    service = Service("presence", settings)
    service.add(mongo)
    service.add(bus)
    service.add(outbox)
    service.add(Every(settings.sweep_seconds, operators.expire, "expire-operators"))
    service.add(Every(settings.sweep_seconds, visitors.expire, "expire-visitors"))
    service.add(Every(_COUNT_SECONDS, operators.count, "count-operators"))
    service.add(Every(_COUNT_SECONDS, visitors.count, "count-visitors"))
    service.add(beats)
    await service.run(
        build_app(
            routes.table(OperatorHandlers(operators), VisitorHandlers(visitors)),
            signer=IdentitySigner(settings.identity_secret),
            outages=OUTAGES,
            idempotency=MongoIdempotency(mongo),
            ready=service.faults,
        )
    )


def main() -> None:
    """Read the environment and run."""
    settings = load(PresenceSettings)
    run("presence", settings, serve(settings))
