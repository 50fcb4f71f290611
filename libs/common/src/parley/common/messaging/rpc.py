"""RPC over AMQP with JSON bodies: asks the owning service directly when its event may not have arrived yet.

A request expires when its caller stops waiting, so that no server works for a caller that is gone: the broker drops it
in the queue, and a server ends it. A server acknowledges a request when it has answered, so that the broker delivers no
more at a time than it serves, and gives the requests of a replica that ends to another one. Methods only read, or may
be called twice.

Requests go through quorum queues, which survive the loss of a broker node. The previous version used classic queues
with other names: a server also serves those, until it has had no request for a day, and a client uses one when there
is no new one, as long as both versions may run side by side.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, cast

import aio_pika
import orjson
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError, ChannelPreconditionFailed
from pamqp.commands import Basic

from parley.common.errors import Unavailable
from parley.common.messaging import topology
from parley.common.messaging.broker import channel_closed_event
from parley.common.messaging.instrumentation import rpc_client_span, rpc_server_span
from parley.common.messaging.timeouts import (
    PREVIOUS_RPC_IDLE_SECONDS,
    PREVIOUS_RPC_RETRY_SECONDS,
    RPC_TIMEOUT_SECONDS,
)
from parley.common.observability.logging import current_trace, get_logger, start_or_continue_trace
from parley.common.runtime.tasks import cancel_and_wait, keep_running

log = get_logger(__name__)

Document = dict[str, Any]

_MAX_CONCURRENCY = 128
"""Requests of a queue that a server serves at a time. More than it has connections to the database: translations wait
for other servers."""
_MAX_UNCONFIRMED = 512
"""Requests that the broker has not taken: while it blocks publishers, they would pile up in memory."""


class RpcServer:
    """A channel session that serves methods by name from the queue `parley.rpc.<service>`.

    The queue of the previous version is served until it has had no request for `previous_idle_seconds`.
    """

    def __init__(
        self,
        service: str,
        methods: Mapping[str, Callable[[Document], Awaitable[Document | None]]],
        *,
        max_concurrency: int = _MAX_CONCURRENCY,
        previous_idle_seconds: float = PREVIOUS_RPC_IDLE_SECONDS,
        previous_retry_seconds: float = PREVIOUS_RPC_RETRY_SECONDS,
    ) -> None:
        self.name = f"{topology.RPC_QUEUE_PREFIX}.{service}"
        self.publishes = True
        self.running = False
        self._service = service
        self._methods = methods
        self._max_concurrency = max_concurrency
        self._previous_idle_seconds = previous_idle_seconds
        self._previous_retry_seconds = previous_retry_seconds
        self._previous_asked_at = 0.0

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=False)
        previous: asyncio.Task[None] | None = None
        try:
            closed = await channel_closed_event(channel)
            await channel.set_qos(prefetch_count=self._max_concurrency)
            queue = await topology.declare_rpc_queue(channel, self._service)
            await queue.consume(partial(self._serve, channel))
            self.running = True
            previous = keep_running(partial(self._serve_previous_version, connection), f"{self.name}:previous")
            await closed.wait()
        finally:
            self.running = False
            if previous is not None:
                await cancel_and_wait(previous)
            if not channel.is_closed:
                await channel.close()

    async def _serve_previous_version(self, connection: AbstractConnection) -> None:
        """Serve the queue of the previous version, on channels of its own: its node may be down at any time."""
        while not connection.is_closed:
            try:
                if await self._serve_previous_queue(connection):
                    return
            except (AMQPError, TimeoutError) as exc:
                log.info("previous_rpc_queue_not_served", service=self._service, error=repr(exc)[:300])
            await asyncio.sleep(self._previous_retry_seconds)

    async def _serve_previous_queue(self, connection: AbstractConnection) -> bool:
        """Serve until the channel closes. After a long time without a request, delete the queue and return True.

        The broker refuses to delete it while another replica, of this or the previous version, consumes from it.
        """
        channel = await connection.channel(publisher_confirms=False)
        try:
            closed = await channel_closed_event(channel)
            await channel.set_qos(prefetch_count=self._max_concurrency)
            queue = await channel.declare_queue(
                f"{topology.PREVIOUS_RPC_QUEUE_PREFIX}.{self._service}", durable=True, timeout=RPC_TIMEOUT_SECONDS
            )
            self._previous_asked_at = time.monotonic()
            tag = await queue.consume(partial(self._serve_previous, channel))
            while not closed.is_set():
                remaining_seconds = self._previous_asked_at + self._previous_idle_seconds - time.monotonic()
                if remaining_seconds <= 0:
                    await queue.cancel(tag)
                    with contextlib.suppress(ChannelPreconditionFailed):
                        await queue.delete(if_unused=True, if_empty=True)
                    return True
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(remaining_seconds):
                        await closed.wait()
            return False
        finally:
            if not channel.is_closed:
                await channel.close()

    async def _serve_previous(self, channel: AbstractChannel, message: AbstractIncomingMessage) -> None:
        self._previous_asked_at = time.monotonic()
        await self._serve(channel, message)

    async def _serve(self, channel: AbstractChannel, message: AbstractIncomingMessage) -> None:
        reply = await self._answer(message)
        # On a closed channel: the broker delivers the request again, to this or another replica.
        with contextlib.suppress(AMQPError, OSError, RuntimeError):
            if message.reply_to:
                await channel.default_exchange.publish(
                    aio_pika.Message(reply, correlation_id=message.correlation_id), message.reply_to, mandatory=False
                )
            await message.ack()

    async def _answer(self, message: AbstractIncomingMessage) -> bytes:
        """Call the method until the caller stops waiting, and return the encoded reply."""
        method = None
        try:
            request = orjson.loads(message.body)
            method = request["name"]
            start_or_continue_trace(request.get("request_id"), request.get("traceparent"))
            # The caller's time began before this; only the broker knows when, as clocks differ.
            seconds = RPC_TIMEOUT_SECONDS if message.expiration is None else cast("float", message.expiration)
            async with asyncio.timeout(seconds):
                with rpc_server_span(self._service, method, request.get("traceparent")):
                    return orjson.dumps({"found": await self._methods[method](request["body"])})
        except Exception as exc:
            log.warning("rpc_failed", method=method, error=repr(exc)[:300])
            return orjson.dumps({"failed": True})


class RpcClient:
    """A channel session that calls a service's methods, with a reply queue of its own."""

    def __init__(self, service: str) -> None:
        self.name = f"rpc-{service}"
        self.publishes = True
        self.running = False
        self._service = service
        self._queue = f"{topology.RPC_QUEUE_PREFIX}.{service}"
        self._previous_queue = f"{topology.PREVIOUS_RPC_QUEUE_PREFIX}.{service}"
        self._channel: AbstractChannel | None = None
        self._reply_to = ""
        self._pending: dict[str, asyncio.Future[Document]] = {}

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=True)  # A confirm says whether there is such a queue.
        try:
            closed = await channel_closed_event(channel)
            replies = await channel.declare_queue(exclusive=True, auto_delete=True)
            await replies.consume(self._on_reply, no_ack=True)
            self._reply_to, self._channel, self.running = replies.name, channel, True
            await closed.wait()
        finally:
            self.running, self._channel = False, None
            if not channel.is_closed:
                await channel.close()

    async def __call__(self, method: str, **body: Any) -> Document | None:
        """Call a method and return its result; None if it found nothing. Raises Unavailable on failure or timeout."""
        with rpc_client_span(self._service, method):
            return await self._call(method, body)

    async def _call(self, method: str, body: Document) -> Document | None:
        if self._channel is None:
            raise Unavailable("The message broker is not available.")
        trace = current_trace()
        request = {"name": method, "body": body, "request_id": trace.request_id, "traceparent": trace.traceparent}
        correlation_id = uuid.uuid4().hex
        message = aio_pika.Message(
            orjson.dumps(request),
            correlation_id=correlation_id,
            reply_to=self._reply_to,
            expiration=RPC_TIMEOUT_SECONDS,
        )
        exchange = self._channel.default_exchange
        reply: Document | None
        try:
            async with asyncio.timeout(RPC_TIMEOUT_SECONDS):
                reply = await self._ask(exchange, message, correlation_id, self._queue)
                if reply is None:
                    reply = await self._ask(exchange, message, correlation_id, self._previous_queue)
        except (AMQPError, OSError, RuntimeError) as exc:
            # A RuntimeError: the channel or the connection is being closed.
            raise Unavailable(f"The {self._service} service did not answer in time.") from exc
        finally:
            self._pending.pop(correlation_id, None)
        if reply is None:
            raise Unavailable(f"The {self._service} service is not running.")
        if reply.get("failed"):
            raise Unavailable(f"The {self._service} service could not answer.")
        result: Document | None = reply["found"]
        return result

    async def _ask(
        self, exchange: AbstractExchange, message: aio_pika.Message, correlation_id: str, queue: str
    ) -> Document | None:
        """Send a request and return the reply; None if there is no such queue."""
        underlay = await cast("Any", exchange).channel.get_underlay_channel()
        if len(underlay.confirmations) >= _MAX_UNCONFIRMED:
            raise Unavailable("The message broker accepts no requests at present.")
        pending: asyncio.Future[Document] = asyncio.get_running_loop().create_future()
        self._pending[correlation_id] = pending
        if not isinstance(await exchange.publish(message, queue), Basic.Ack):
            return None  # The broker has returned it.
        reply: Document = await pending
        return reply

    async def _on_reply(self, message: AbstractIncomingMessage) -> None:
        pending = self._pending.get(message.correlation_id or "")
        if pending is not None and not pending.done():
            pending.set_result(orjson.loads(message.body))
