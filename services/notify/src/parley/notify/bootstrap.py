"""The composition root: makes every part of notify and gives it what it needs."""

from __future__ import annotations

import secrets
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from parley.common.auth.identity import IdentitySigner
from parley.common.events import Event
from parley.common.http import build_app
from parley.common.messaging import Ask, Bus, Listener
from parley.common.messaging.topology import EPHEMERAL
from parley.common.mongodb import OUTAGES, Mongo, MongoIdempotency
from parley.common.observability.logging import logger
from parley.common.runtime import service
from parley.common.runtime.clock import utc_now
from parley.common.runtime.service import Service
from parley.common.runtime.settings import load
from parley.common.runtime.tasks import Every
from parley.notify import consumers
from parley.notify.clients.sites import ChatSites
from parley.notify.clients.team import ChatTeam
from parley.notify.mongo_schema import SCHEMA
from parley.notify.push.cursor_repository import MongoCursor
from parley.notify.push.delivery_repository import MongoDeliveries
from parley.notify.push.delivery_service import Deliveries
from parley.notify.push.handlers import TokenHandlers
from parley.notify.push.planner import Intake
from parley.notify.push.seen_repository import MongoSeen
from parley.notify.push.seen_tracker import SeenNotes
from parley.notify.push.self_test import Trial
from parley.notify.push.sender import Sender
from parley.notify.push.token_repository import MongoTokens
from parley.notify.push.tokens import Tokens
from parley.notify.routes import routes
from parley.notify.settings import Settings
from parley.notify.streaming.handlers import StreamHandlers
from parley.notify.streaming.hub import Hub
from parley.notify.streaming.log_tailer import Tail
from parley.notify.streaming.replay_buffer import Window
from parley.notify.streaming.server import Streams
from parley.notify.tickets.handlers import TicketHandlers
from parley.notify.tickets.repository import MongoTickets
from parley.notify.tickets.service import Tickets

if TYPE_CHECKING:
    from parley.notify.push.fcm import Fcm

log = logger(__name__)

_TICK_SECONDS = 0.25
_INTAKE_SECONDS = 0.2


class Notify:
    """The service: `service` and `app` together are what runs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.service = Service("notify", settings)
        self.mongo = Mongo(settings.mongodb_uri, f"{settings.database_prefix}_notify", SCHEMA, settings.schema_mode)
        self.bus = Bus(settings.amqp_url)
        self.tokens = MongoTokens(self.mongo)
        self.seen = MongoSeen(self.mongo, utc_now)
        self.provider = self._provider()
        self.notes = SeenNotes(self.seen, self.tokens) if self.provider is not None else None
        self.hub = Hub(
            buffer_bytes=settings.stream_buffer_bytes,
            comment_seconds=settings.stream_comment_seconds,
            operator_streams=settings.operator_streams,
            visitor_streams=settings.visitor_streams,
            written=self.notes.written if self.notes is not None else None,
        )
        self.window = Window(settings.window_seconds, settings.window_bytes)
        self.tail = Tail(self.window, self.hub)
        self.bus.add(self.tail)
        self.bus.add(Listener("whispers", EPHEMERAL, ["#"], self._whisper))
        # Also where push is off: it may have been on until a moment ago.
        self.deliveries = MongoDeliveries(self.mongo, utc_now)
        self.bus.add(consumers.erasures(self.deliveries), after=self.mongo.prepared)
        self.bus.add(consumers.questions(self.deliveries), after=self.mongo.prepared)
        for part in (self.mongo, self.bus, self.tail, Every(_TICK_SECONDS, self._tick, "tick")):
            self.service.add(part)
        if self.provider is not None and self.notes is not None:
            self._add_push(self.provider, self.notes)
        self.app = self._app()

    def _provider(self) -> Fcm | None:
        key = self.settings.fcm_key
        if key is None:
            log.info("push_is_off", reason="PARLEY_FCM_CREDENTIALS is not set")
            return None
        from parley.notify.push.fcm import Fcm  # noqa: PLC0415 - only where it is used

        return Fcm(key, self.settings.fcm_url)

    def _add_push(self, provider: Fcm, notes: SeenNotes) -> None:
        ask = Ask("chat")
        team, sites = ChatTeam(ask), ChatSites(ask)
        deliveries = self.deliveries
        give_up = timedelta(seconds=self.settings.push_give_up_seconds)
        intake = Intake(
            secrets.token_hex(8),
            MongoCursor(self.mongo, utc_now),
            deliveries,
            self.tokens,
            team,
            sites,
            utc_now,
            start=lambda: self.tail.goal,
            delay=timedelta(seconds=self.settings.push_delay_seconds),
            give_up=give_up,
        )
        self.bus.add(ask)
        self.tail.tell(team.heed)
        self.tail.tell(sites.heed)
        self.tail.tell(intake.offer)
        self.tail.reborn = intake.reborn
        self.tail.needed = intake.needs
        sending = Deliveries(
            deliveries,
            self.seen,
            self.tokens,
            team,
            sites,
            provider,
            utc_now,
            preview=self.settings.push_preview,
            give_up=give_up,
        )
        parts = (
            provider,
            intake,
            Every(_INTAKE_SECONDS, notes.flush, "seen-notes"),
            Every(_INTAKE_SECONDS, intake.run, "push-intake-turns"),
            Sender(sending),
        )
        for part in parts:
            self.service.add(part)

    def _app(self) -> web.Application:
        store = self.tokens
        app = build_app(
            routes(
                StreamHandlers(Streams(self.hub, self.window, self.tail)),
                TicketHandlers(Tickets(MongoTickets(self.mongo), utc_now)),
                TokenHandlers(Tokens(store, utc_now), Trial(store, self.provider)),
            ),
            signer=IdentitySigner(self.settings.identity_secret),
            outages=OUTAGES,
            idempotency=MongoIdempotency(self.mongo),
            ready=self.service.faults,
        )
        app.on_shutdown.append(self._drain)
        return app

    async def _whisper(self, event: Event) -> None:
        self.hub.whisper(event)

    async def _tick(self) -> None:
        self.hub.tick()
        self.tail.tick()

    async def _drain(self, _: web.Application) -> None:
        self.hub.drain()


async def serve(settings: Settings) -> None:
    """Run until told to stop. A push key that cannot be used is a sentence and status 78 (EX_CONFIG)."""
    try:
        notify = Notify(settings)
    except ValueError as exc:
        print(f"PARLEY_FCM_CREDENTIALS: {type(exc).__name__}: the private key cannot be read", file=sys.stderr)  # noqa: T201
        raise SystemExit(78) from None
    await notify.service.run(notify.app)


def main() -> None:
    """The program."""
    settings = load(Settings)
    service.main("notify", settings, serve(settings))
