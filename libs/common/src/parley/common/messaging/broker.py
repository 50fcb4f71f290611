"""The connections to RabbitMQ: a loop reconnects each and restarts everything that uses it.

A robust connection that restores consumers by itself is known to lose some silently after a broker restart
(aio-pika issues 231, 379, 636). Here every user of the connection is a channel session: it starts on a fresh
connection, and when the connection, its channel or its consumer closes, the whole session ends and starts again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, Protocol, cast, runtime_checkable

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
from parley.common.runtime.tasks import cancel_and_wait, keep_running
from parley.common.server_versions import rabbitmq_advice

log = get_logger(__name__)

Document = dict[str, Any]

_LOGGED_FAILURES = (1, 20, 200)


class ChannelSession(Protocol):
    """A user of the connection. `run` opens channels on it, and returns or raises when it has to be started again."""

    name: str

    async def run(self, connection: AbstractConnection) -> None: ...

    @property
    def running(self) -> bool: ...


@runtime_checkable
class PublishingSession(Protocol):
    """A channel session that publishes, so that it has to share the connection of the publisher."""

    publishes: bool


class BrokerConnection:
    """Publishes events and keeps channel sessions running, on two connections.

    A broker that is short of memory or disk stops reading from connections that publish (`connection.blocked`).
    Consumers have one of their own, so that they still acknowledge, which is what frees memory and disk.
    """

    name = "rabbitmq"

    def __init__(self, url: str, *, log_partitions: int = DEFAULT_PARTITIONS) -> None:
        self._log_partitions = log_partitions
        self._declared = asyncio.Event()
        self._publishing = _Link("publishing", url, self._open_publisher)
        self._consuming = _Link("consuming", url, self._open_consumer)
        self._exchange: AbstractExchange | None = None
        self._ephemeral_exchange: AbstractExchange | None = None
        self._blocked = False
        self._version = ""
        self._unconfirmed_since: float | None = None
        """When a batch was not confirmed in time. No further one is sent before the broker has confirmed it, so that
        retries do not pile up in memory; the outbox keeps them."""

    def add(self, session: ChannelSession, *, start_condition: asyncio.Event | None = None) -> None:
        """Keep a session running, from when `start_condition` is set. Call before `start`."""
        link = self._publishing if isinstance(session, PublishingSession) and session.publishes else self._consuming
        link.add(session, start_condition)

    async def start(self) -> None:
        self._publishing.start()
        if self._consuming.sessions:
            self._consuming.start()

    async def stop(self) -> None:
        await asyncio.gather(self._publishing.stop(), self._consuming.stop())

    def unready_reason(self) -> str | None:
        if self._exchange is None or (self._consuming.sessions and not self._consuming.connected):
            return "not connected"
        if self._blocked:
            return "the broker accepts no events: it is short of memory or disk"
        if self._unconfirmed_since is not None:
            return "the broker does not confirm events"
        sessions = (*self._publishing.sessions, *self._consuming.sessions)
        waiting = [session.name for session in sessions if not session.running]
        return f"not consuming yet: {', '.join(waiting)}" if waiting else None

    async def publish(self, documents: Sequence[Document]) -> None:
        """Publish events in order; return when the broker has confirmed all of them. Raises Unavailable."""
        exchange = self._exchange
        if exchange is None:
            raise Unavailable("The message broker is not available.")
        if self._blocked or await self._is_unconfirmed(exchange):
            raise Unavailable("The message broker accepts no events at present.")
        events = [(parse_event(document), document) for document in documents]
        with publish_spans(events) as traced:
            try:
                await _publish_confirmed(exchange, traced, self._log_partitions)
            except _NotConfirmed:
                self._unconfirmed_since = time.monotonic()
                raise

    async def publish_ephemeral(self, event: Event) -> None:
        """Publish an event to current subscribers only, unconfirmed. Dropped while the broker takes none."""
        if self._ephemeral_exchange is None or self._blocked or self._unconfirmed_since is not None:
            return
        message = _transient_message(event)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(timeouts.EPHEMERAL_TIMEOUT_SECONDS):
                await self._ephemeral_exchange.publish(message, routing_key(event), mandatory=False)

    async def _is_unconfirmed(self, exchange: AbstractExchange) -> bool:
        """Return whether events that were not confirmed in time are still not confirmed."""
        if self._unconfirmed_since is not None:
            channel = await cast("Any", exchange).channel.get_underlay_channel()
            if not channel.confirmations:
                self._unconfirmed_since = None
        return self._unconfirmed_since is not None

    @asynccontextmanager
    async def _open_publisher(self, connection: AbstractConnection, closed: asyncio.Event) -> AsyncIterator[None]:
        """Declare the topology, and publish through this connection meanwhile."""
        async with asyncio.timeout(timeouts.DECLARE_TIMEOUT_SECONDS):
            channel = await connection.channel(publisher_confirms=True)
            await topology.declare_exchanges(channel, self._log_partitions)
            self._declared.set()
            exchange = await channel.get_exchange(topology.EVENTS_EXCHANGE, ensure=False)
            # Ephemeral events have a channel of their own, so that they never wait behind a confirm.
            ephemeral_channel = await connection.channel(publisher_confirms=False)
            ephemeral_exchange = await ephemeral_channel.get_exchange(topology.EPHEMERAL_EXCHANGE, ensure=False)
        channel.close_callbacks.add(lambda *_: closed.set())
        ephemeral_channel.close_callbacks.add(lambda *_: closed.set())
        self._exchange, self._ephemeral_exchange = exchange, ephemeral_exchange
        self._advise(server_version(connection))
        metrics.BROKER_CONNECTED.set(1)
        watch = keep_running(partial(self._watch_publisher, connection, exchange, closed), "rabbitmq-watch")
        try:
            yield
        finally:
            self._exchange = self._ephemeral_exchange = self._unconfirmed_since = None
            metrics.BROKER_CONNECTED.set(0)
            await cancel_and_wait(watch)
            self._set_blocked(False)

    @asynccontextmanager
    async def _open_consumer(self, _connection: AbstractConnection, _closed: asyncio.Event) -> AsyncIterator[None]:
        """Wait for the topology, which the sessions bind their queues to."""
        async with asyncio.timeout(timeouts.DECLARE_TIMEOUT_SECONDS):
            await self._declared.wait()
        yield

    async def _watch_publisher(
        self, connection: AbstractConnection, exchange: AbstractExchange, closed: asyncio.Event
    ) -> None:
        """Notice that the broker blocks this connection. Close it if it confirms nothing for a minute without that."""
        while True:
            self._set_blocked(not await _accepts_publishing(connection))
            if not self._blocked and await self._is_unconfirmed(exchange):
                assert self._unconfirmed_since is not None
                if time.monotonic() - self._unconfirmed_since > timeouts.UNCONFIRMED_RECONNECT_SECONDS:
                    log.error("broker_does_not_confirm")
                    closed.set()
            await asyncio.sleep(timeouts.BLOCKED_CHECK_SECONDS)

    def _advise(self, version: str) -> None:
        """Log what is known against the broker's version, once for each version."""
        if version != self._version and (advice := rabbitmq_advice(version)) is not None:
            log.warning("broker_version_outdated", advice=advice)
        self._version = version

    def _set_blocked(self, blocked: bool) -> None:
        if blocked != self._blocked:
            self._blocked = blocked
            metrics.BROKER_BLOCKED.set(blocked)
            (log.error if blocked else log.info)("broker_blocks_publishers" if blocked else "broker_accepts_publishers")


class _Link:
    """One connection, which reconnects by itself, and the sessions on it.

    `open_channels` prepares each new connection, is left when it closes, and may set the event to have it closed.
    """

    def __init__(
        self,
        name: str,
        url: str,
        open_channels: Callable[[AbstractConnection, asyncio.Event], AbstractAsyncContextManager[None]],
    ) -> None:
        self.sessions: list[ChannelSession] = []
        self.connected = False
        self._name = name
        self._url = url
        self._open_channels = open_channels
        self._start_conditions: dict[str, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, session: ChannelSession, start_condition: asyncio.Event | None) -> None:
        self.sessions.append(session)
        if start_condition is not None:
            self._start_conditions[session.name] = start_condition

    def start(self) -> None:
        self._task = keep_running(self._reconnect_loop, f"rabbitmq-{self._name}")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _reconnect_loop(self) -> None:
        backoff = _reconnect_backoff()
        while not _cancel_requested():
            delay = timeouts.RESTART_DELAY_SECONDS
            try:
                async with asyncio.timeout(timeouts.CONNECT_TIMEOUT_SECONDS):
                    connection = await _connect(self._url)
            except Exception as exc:
                delay = backoff.next_delay()
                if backoff.failures in _LOGGED_FAILURES:
                    log.warning("broker_unavailable", connection=self._name, error=repr(exc)[:300])
                await asyncio.sleep(delay)
                continue
            try:
                await self._run_connection(connection)
                backoff.reset()
            except Exception as exc:
                log.warning("broker_connection_ended", connection=self._name, error=repr(exc)[:300])
                delay = backoff.next_delay()
            finally:
                self.connected = False
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(timeouts.CLOSE_TIMEOUT_SECONDS):
                        await connection.close()
            await asyncio.sleep(delay)

    async def _run_connection(self, connection: AbstractConnection) -> None:
        """Run the sessions until the connection closes."""
        closed = asyncio.Event()
        connection.close_callbacks.add(lambda *_: closed.set())
        ended = asyncio.Event()
        async with self._open_channels(connection, closed):
            self.connected = True
            log.info("broker_connected", connection=self._name)
            tasks = [
                keep_running(partial(self._run_session, session, connection, ended), session.name)
                for session in self.sessions
            ]
            try:
                await closed.wait()
            finally:
                ended.set()
                await cancel_and_wait(*tasks)

    async def _run_session(self, session: ChannelSession, connection: AbstractConnection, ended: asyncio.Event) -> None:
        """Start the session again until `ended` is set.

        A pending cancellation does not: in Python 3.11, a TaskGroup that fails may leave one in the task that ran it.
        """
        if session.name in self._start_conditions:
            await self._start_conditions[session.name].wait()
        backoff = _reconnect_backoff()
        while not connection.is_closed and not ended.is_set():
            delay = timeouts.RESTART_DELAY_SECONDS
            try:
                await session.run(connection)
                backoff.reset()
            except Exception as exc:
                delay = backoff.next_delay()
                log.warning("session_ended", session=session.name, error=repr(exc)[:300])
            await asyncio.sleep(delay)


def server_version(connection: AbstractConnection) -> str:
    """Return the broker's version, which it sends when a connection starts."""
    transport = connection.transport
    properties = getattr(transport.connection, "server_properties", None) if transport is not None else None
    return str((properties or {}).get("version", "0.0"))


async def channel_closed_event(channel: AbstractChannel) -> asyncio.Event:
    """Return an event that is set when the channel closes or the broker cancels one of its consumers."""
    closed = asyncio.Event()
    channel.close_callbacks.add(lambda *_: closed.set())
    underlay = await channel.get_underlay_channel()
    underlay.on_consumer_cancel_callbacks.add(lambda *_: closed.set())
    return closed


class _NotConfirmed(Unavailable):
    """Raised when the confirms of a batch do not arrive in time; they may still arrive."""


async def _accepts_publishing(connection: AbstractConnection) -> bool:
    """Return False while the broker blocks the connection (https://www.rabbitmq.com/docs/connection-blocked)."""
    transport = connection.transport
    if transport is None:
        return True
    try:
        await asyncio.wait_for(transport.connection.ready(), timeouts.BLOCKED_CHECK_SECONDS)
    except TimeoutError:
        return False
    return True


async def _publish_confirmed(
    exchange: AbstractExchange, events: Sequence[tuple[Event, Document]], log_partitions: int
) -> None:
    try:
        async with asyncio.timeout(timeouts.CONFIRM_TIMEOUT_SECONDS):
            await publish_batch(exchange, list(pack_events(events, log_partitions)))
    except TimeoutError as exc:
        raise _NotConfirmed("The message broker did not confirm in time.") from exc
    except Exception as exc:
        raise Unavailable("The message broker did not accept an event.") from exc


async def _connect(url: str) -> AbstractConnection:
    """Connect. Closes a connection that fails to open: the garbage collector could not, without an event loop."""
    connection = aio_pika.Connection(aio_pika.connection.make_url(url), heartbeat=timeouts.HEARTBEAT_SECONDS)
    try:
        await connection.connect()
    except BaseException:
        await connection.close()
        raise
    return connection


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
