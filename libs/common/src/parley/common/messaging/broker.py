"""The connection to RabbitMQ: kept up by one loop of our own, and everything that lives on it begun anew each time.

A robust connection that restores consumers by itself is known to lose some silently after a broker restart
(aio-pika issues 231, 379, 636). Here every use of the connection is a session: it is started on a fresh
connection, and when the connection, its channel or its consumer goes, the whole session ends and starts again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Protocol

import aio_pika
import orjson
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, DeliveryMode

from parley.common.errors import Unavailable
from parley.common.events import Event, parse_event, routing_key
from parley.common.messaging import topology
from parley.common.messaging.batch_codec import pack_events
from parley.common.messaging.instrumentation import publish_spans
from parley.common.messaging.publisher import publish_batch
from parley.common.observability import metrics
from parley.common.observability.logging import get_logger
from parley.common.runtime.tasks import cancel_and_wait

log = get_logger(__name__)

Document = dict[str, Any]

_CONNECT_SECONDS = 5.0
_CONFIRM_SECONDS = 5.0
_HEARTBEAT_SECONDS = 10


class ChannelSession(Protocol):
    """Something that lives on a connection. `run` returns or raises when it has to be started anew."""

    name: str

    async def run(self, connection: AbstractConnection) -> None: ...

    @property
    def running(self) -> bool: ...


class BrokerConnection:
    """Publishes, and keeps sessions running. Ready while the publishing channel and every session are up."""

    name = "rabbitmq"

    def __init__(self, url: str) -> None:
        self._url = url
        self._sessions: list[ChannelSession] = []
        self._gates: dict[str, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None
        self._exchange: AbstractExchange | None = None
        self._ephemeral: AbstractExchange | None = None
        self._connection: AbstractConnection | None = None

    def add(self, session: ChannelSession, *, start_condition: asyncio.Event | None = None) -> None:
        """Keep a session running, from when `after` is set. Add before `start`."""
        self._sessions.append(session)
        if start_condition is not None:
            self._gates[session.name] = start_condition

    async def start(self) -> None:
        self._task = asyncio.create_task(self._keep_up(), name="rabbitmq")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def unready_reason(self) -> str | None:
        if self._exchange is None:
            return "not connected"
        waiting = [session.name for session in self._sessions if not session.running]
        return f"not consuming yet: {', '.join(waiting)}" if waiting else None

    async def publish(self, documents: Sequence[Document]) -> None:
        """Publish events in order; returns when the broker has confirmed all of them. Raises Unavailable."""
        exchange = self._exchange
        if exchange is None:
            raise Unavailable("The message broker is not available.")
        keyed = []
        for document in documents:
            event = parse_event(document)
            keyed.append((event, document))
        with publish_spans(keyed) as traced:
            await _confirmed(exchange, traced)

    async def publish_ephemeral(self, event: Event) -> None:
        """Send an ephemeral event to whoever listens now. Lost, and rightly so, while the broker is away."""
        if self._ephemeral is None:
            return
        message = _fleeting(event)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1.0):
                await self._ephemeral.publish(message, routing_key(event), mandatory=False)

    async def _keep_up(self) -> None:
        failures = 0
        while not _told_to_end():
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    connection = await aio_pika.connect(self._url, heartbeat=_HEARTBEAT_SECONDS)
            except Exception as exc:
                failures += 1
                if failures in (1, 20, 200):
                    log.warning("broker_unavailable", error=repr(exc)[:300])
                await asyncio.sleep(min(2.0, 0.1 * 2 ** min(failures, 5)))
                continue
            try:
                await self._live(connection)
            except Exception as exc:
                log.warning("broker_connection_ended", error=repr(exc)[:300])
                failures += 1
            else:
                failures = 0
            finally:
                self._exchange = self._ephemeral = None
                metrics.BROKER_CONNECTED.set(0)
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(2.0):
                        await connection.close()
            await asyncio.sleep(min(2.0, 0.1 * 2 ** min(failures, 5)))

    async def _live(self, connection: AbstractConnection) -> None:
        """One connection's life: declare, publish, run the sessions; ends when the connection does."""
        closed = asyncio.Event()
        connection.close_callbacks.add(lambda *_: closed.set())
        async with asyncio.timeout(15):
            channel = await connection.channel(publisher_confirms=True)
            await topology.declare_exchanges(channel)
            exchange = await channel.get_exchange(topology.EVENTS_EXCHANGE, ensure=False)
            # Unconfirmed whispers go by a channel of their own, so that they never wait behind a confirm.
            quiet = await connection.channel(publisher_confirms=False)
            self._ephemeral = await quiet.get_exchange(topology.EPHEMERAL_EXCHANGE, ensure=False)
        channel.close_callbacks.add(lambda *_: closed.set())
        quiet.close_callbacks.add(lambda *_: closed.set())
        self._exchange = exchange
        metrics.BROKER_CONNECTED.set(1)
        log.info("broker_connected")
        tasks = [asyncio.create_task(self._run(session, connection), name=session.name) for session in self._sessions]
        try:
            await closed.wait()
        finally:
            await cancel_and_wait(*tasks)

    async def _run(self, session: ChannelSession, connection: AbstractConnection) -> None:
        if session.name in self._gates:
            await self._gates[session.name].wait()
        failures = 0
        while not connection.is_closed and not _told_to_end():
            try:
                await session.run(connection)
                failures = 0
            except Exception as exc:
                failures += 1
                log.warning("session_ended", session=session.name, error=repr(exc)[:300])
            await asyncio.sleep(min(2.0, 0.1 * 2 ** min(failures, 5)))


async def _confirmed(exchange: AbstractExchange, keyed: Sequence[tuple[Event, Document]]) -> None:
    """Publish, and wait until the broker has confirmed all. Raises Unavailable."""
    try:
        async with asyncio.timeout(_CONFIRM_SECONDS):
            await publish_batch(exchange, list(pack_events(keyed)))
    except TimeoutError as exc:
        raise Unavailable("The message broker did not confirm in time.") from exc
    except Exception as exc:
        raise Unavailable("The message broker did not take an event.") from exc


def _told_to_end() -> bool:
    """Whether this task was cancelled, also where a cleanup that failed put its own exception in place of that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _fleeting(event: Event) -> aio_pika.Message:
    return aio_pika.Message(
        orjson.dumps(event.to_document()),
        content_type="application/json",
        delivery_mode=DeliveryMode.NOT_PERSISTENT,
        message_id=event.id,
        type=event.type,
    )


async def channel_closed_event(channel: AbstractChannel) -> asyncio.Event:
    """An event that is set when the channel closes or the broker cancels one of its consumers."""
    gone = asyncio.Event()
    channel.close_callbacks.add(lambda *_: gone.set())
    underlay = await channel.get_underlay_channel()
    underlay.on_consumer_cancel_callbacks.add(lambda *_: gone.set())
    return gone
