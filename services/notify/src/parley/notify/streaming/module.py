"""Wire streaming together: hub, replay buffer, log tailer, endpoints."""

from __future__ import annotations

from aiohttp import web

from parley.common.events import Event
from parley.common.messaging import BroadcastSubscriber, BrokerConnection
from parley.common.messaging.topology import EPHEMERAL_EXCHANGE
from parley.common.runtime.service import Component
from parley.common.runtime.tasks import PeriodicTask
from parley.notify.settings import NotifySettings
from parley.notify.streaming.handlers import StreamHandlers
from parley.notify.streaming.hub import Hub
from parley.notify.streaming.log_tailer import LogTailer
from parley.notify.streaming.replay_buffer import ReplayBuffer
from parley.notify.streaming.routes import stream_routes
from parley.notify.streaming.server import StreamServer
from parley.notify.timeouts import HUB_MAINTENANCE_INTERVAL_SECONDS


class StreamingModule:
    def __init__(self, settings: NotifySettings, broker: BrokerConnection) -> None:
        self.hub = Hub(
            buffer_bytes=settings.stream_buffer_bytes,
            comment_seconds=settings.stream_comment_seconds,
            operator_streams=settings.operator_streams,
            visitor_streams=settings.visitor_streams,
        )
        buffer = ReplayBuffer(settings.window_seconds, settings.window_bytes)
        self.tailer = LogTailer(buffer, self.hub)
        self.routes = stream_routes(StreamHandlers(StreamServer(self.hub, buffer, self.tailer)))
        self.components: tuple[Component, ...] = (
            self.tailer,
            PeriodicTask(HUB_MAINTENANCE_INTERVAL_SECONDS, self._run_maintenance, "stream-maintenance"),
        )
        broker.add(self.tailer)
        broker.add(BroadcastSubscriber("ephemeral", EPHEMERAL_EXCHANGE, ["#"], self._on_ephemeral))

    async def drain(self, _: web.Application) -> None:
        """End all streams, when the public application shuts down."""
        self.hub.drain()

    async def _run_maintenance(self) -> None:
        self.hub.run_maintenance()
        self.tailer.run_maintenance()

    async def _on_ephemeral(self, event: Event) -> None:
        self.hub.dispatch_ephemeral(event)
