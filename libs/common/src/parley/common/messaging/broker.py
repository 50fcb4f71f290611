"""The connection to RabbitMQ: one loop reconnects it and restarts everything that uses it.

A robust connection that restores consumers by itself is known to lose some silently after a broker restart
(aio-pika issues 231, 379, 636). Here every user of the connection is a channel session: it starts on a fresh
connection, and when the connection, its channel or its consumer closes, the whole session ends and starts again.
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
from parley.common.log_partitions import DEFAULT_PARTITIONS
from parley.common.messaging import timeouts, topology
from parley.common.messaging.batch_codec import pack_events
from parley.common.messaging.instrumentation import publish_spans
from parley.common.messaging.publisher import publish_batch
from parley.common.observability import metrics
from parley.common.observability.logging import get_logger
from parley.common.runtime.backoff import Backoff
from parley.common.runtime.tasks import cancel_and_wait

log = get_logger(__name__)

Document = dict[str, Any]

_LOGGED_FAILURES = (1, 20, 200)


class ChannelSession(Protocol):
    """A user of the connection. `run` opens channels on it, and returns or raises when it has to be started again."""

    name: str

    async def run(self, connection: AbstractConnection) -> None: ...

    @property
    def running(self) -> bool: ...


class BrokerConnection:
    """Publishes events and keeps channel sessions running. Ready while connected and all sessions are running."""

    name = "rabbitmq"

    def __init__(self, url: str, *, log_partitions: int = DEFAULT_PARTITIONS) -> None:
        self._url = url
        self._log_partitions = log_partitions
        self._sessions: list[ChannelSession] = []
        self._start_conditions: dict[str, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None
        self._exchange: AbstractExchange | None = None
        self._ephemeral_exchange: AbstractExchange | None = None

    def add(self, session: ChannelSession, *, start_condition: asyncio.Event | None = None) -> None:
        """Keep a session running, from when `start_condition` is set. Call before `start`."""
        self._sessions.append(session)
        if start_condition is not None:
            self._start_conditions[session.name] = start_condition

    async def start(self) -> None:
        self._task = asyncio.create_task(self._reconnect_loop(), name="rabbitmq")

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
        """Publish events in order; return when the broker has confirmed all of them. Raises Unavailable."""
        exchange = self._exchange
        if exchange is None:
            raise Unavailable("The message broker is not available.")
        events = [(parse_event(document), document) for document in documents]
        with publish_spans(events) as traced:
            await _publish_confirmed(exchange, traced, self._log_partitions)

    async def publish_ephemeral(self, event: Event) -> None:
        """Publish an event to current subscribers only, unconfirmed. Dropped while the broker is away."""
        if self._ephemeral_exchange is None:
            return
        message = _transient_message(event)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(timeouts.EPHEMERAL_TIMEOUT_SECONDS):
                await self._ephemeral_exchange.publish(message, routing_key(event), mandatory=False)

    async def _reconnect_loop(self) -> None:
        backoff = _reconnect_backoff()
        while not _cancel_requested():
            delay = timeouts.RESTART_DELAY_SECONDS
            try:
                async with asyncio.timeout(timeouts.CONNECT_TIMEOUT_SECONDS):
                    connection = await aio_pika.connect(self._url, heartbeat=timeouts.HEARTBEAT_SECONDS)
            except Exception as exc:
                delay = backoff.next_delay()
                if backoff.failures in _LOGGED_FAILURES:
                    log.warning("broker_unavailable", error=repr(exc)[:300])
                await asyncio.sleep(delay)
                continue
            try:
                await self._run_connection(connection)
                backoff.reset()
            except Exception as exc:
                log.warning("broker_connection_ended", error=repr(exc)[:300])
                delay = backoff.next_delay()
            finally:
                self._exchange = self._ephemeral_exchange = None
                metrics.BROKER_CONNECTED.set(0)
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(timeouts.CLOSE_TIMEOUT_SECONDS):
                        await connection.close()
            await asyncio.sleep(delay)

    async def _run_connection(self, connection: AbstractConnection) -> None:
        """Declare the topology, then publish and run the sessions until the connection closes."""
        closed = asyncio.Event()
        connection.close_callbacks.add(lambda *_: closed.set())
        async with asyncio.timeout(timeouts.DECLARE_TIMEOUT_SECONDS):
            channel = await connection.channel(publisher_confirms=True)
            await topology.declare_exchanges(channel, self._log_partitions)
            exchange = await channel.get_exchange(topology.EVENTS_EXCHANGE, ensure=False)
            # Ephemeral events have a channel of their own, so that they never wait behind a confirm.
            ephemeral_channel = await connection.channel(publisher_confirms=False)
            self._ephemeral_exchange = await ephemeral_channel.get_exchange(topology.EPHEMERAL_EXCHANGE, ensure=False)
        channel.close_callbacks.add(lambda *_: closed.set())
        ephemeral_channel.close_callbacks.add(lambda *_: closed.set())
        self._exchange = exchange
        metrics.BROKER_CONNECTED.set(1)
        log.info("broker_connected")
        tasks = [
            asyncio.create_task(self._run_session(session, connection), name=session.name) for session in self._sessions
        ]
        try:
            await closed.wait()
        finally:
            await cancel_and_wait(*tasks)

    async def _run_session(self, session: ChannelSession, connection: AbstractConnection) -> None:
        if session.name in self._start_conditions:
            await self._start_conditions[session.name].wait()
        backoff = _reconnect_backoff()
        while not connection.is_closed and not _cancel_requested():
            delay = timeouts.RESTART_DELAY_SECONDS
            try:
                await session.run(connection)
                backoff.reset()
            except Exception as exc:
                delay = backoff.next_delay()
                log.warning("session_ended", session=session.name, error=repr(exc)[:300])
            await asyncio.sleep(delay)


async def channel_closed_event(channel: AbstractChannel) -> asyncio.Event:
    """Return an event that is set when the channel closes or the broker cancels one of its consumers."""
    closed = asyncio.Event()
    channel.close_callbacks.add(lambda *_: closed.set())
    underlay = await channel.get_underlay_channel()
    underlay.on_consumer_cancel_callbacks.add(lambda *_: closed.set())
    return closed


async def _publish_confirmed(
    exchange: AbstractExchange, events: Sequence[tuple[Event, Document]], log_partitions: int
) -> None:
    try:
        async with asyncio.timeout(timeouts.CONFIRM_TIMEOUT_SECONDS):
            await publish_batch(exchange, list(pack_events(events, log_partitions)))
    except TimeoutError as exc:
        raise Unavailable("The message broker did not confirm in time.") from exc
    except Exception as exc:
        raise Unavailable("The message broker did not accept an event.") from exc


def _reconnect_backoff() -> Backoff:
    return Backoff(initial_seconds=timeouts.RECONNECT_INITIAL_SECONDS, max_seconds=timeouts.RECONNECT_MAX_SECONDS)


def _cancel_requested() -> bool:
    """Whether this task was cancelled, even if a failing cleanup replaced the CancelledError with its own exception."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _transient_message(event: Event) -> aio_pika.Message:
    return aio_pika.Message(
        orjson.dumps(event.to_document()),
        content_type="application/json",
        delivery_mode=DeliveryMode.NOT_PERSISTENT,
        message_id=event.id,
        type=event.type,
    )
