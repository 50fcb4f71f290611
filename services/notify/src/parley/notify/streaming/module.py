"""Wire streaming together: hub, event log, endpoints."""

from __future__ import annotations

from aiohttp import web

from parley.common.events import Event
from parley.common.messaging import BroadcastSubscriber, BrokerConnection
from parley.common.messaging.topology import EPHEMERAL_EXCHANGE
from parley.common.runtime.service import Component
from parley.common.runtime.tasks import PeriodicTask
from parley.notify.settings import NotifySettings
from parley.notify.streaming.event_log import EventLog
from parley.notify.streaming.first_records import FirstRecords
from parley.notify.streaming.handlers import StreamHandlers
from parley.notify.streaming.hub import Hub
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
        first_records = FirstRecords()
        self.log = EventLog(
            self.hub,
            settings.log_partitions,
            first_records.append,
            retention_seconds=settings.window_seconds,
            max_bytes=settings.window_bytes,
        )
        self.routes = stream_routes(StreamHandlers(StreamServer(self.hub, self.log)))
        self.components: tuple[Component, ...] = (
            self.log,
            PeriodicTask(HUB_MAINTENANCE_INTERVAL_SECONDS, self._run_maintenance, "stream-maintenance"),
        )
        broker.add(first_records)
        broker.add(self.log)
        broker.add(BroadcastSubscriber("ephemeral", EPHEMERAL_EXCHANGE, ["#"], self._on_ephemeral))

    async def drain(self, _: web.Application) -> None:
        """End all streams, when the public application shuts down."""
        self.hub.drain()

    async def _run_maintenance(self) -> None:
        self.hub.run_maintenance()
        await self.log.run_maintenance()

    async def _on_ephemeral(self, event: Event) -> None:
        self.hub.dispatch_ephemeral(event)
