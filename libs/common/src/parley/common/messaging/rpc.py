"""Questions to the owner of a fact, for when its event has not arrived yet: AMQP request and reply, in JSON.

Questions expire with their asker's patience, so that none is answered to nobody.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aio_pika
import orjson
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from parley.common.errors import Unavailable
from parley.common.messaging import topology
from parley.common.messaging.broker import channel_closed_event
from parley.common.messaging.instrumentation import rpc_client_span, rpc_server_span
from parley.common.observability.logging import current_trace, get_logger, start_or_continue_trace

log = get_logger(__name__)

Document = dict[str, Any]
_PATIENCE_SECONDS = 2.0


class RpcServer:
    """The owner's side: answers questions by name from `parley.ask.<service>`."""

    def __init__(self, service: str, methods: Mapping[str, Callable[[Document], Awaitable[Document | None]]]) -> None:
        self.name = f"{topology.RPC_QUEUE_PREFIX}.{service}"
        self.running = False
        self._service = service
        self._answers = methods

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=False)
        try:
            gone = await channel_closed_event(channel)
            await channel.set_qos(prefetch_count=32)
            queue = await channel.declare_queue(self.name, durable=True)

            async def answer(message: AbstractIncomingMessage) -> None:
                await self._answer(channel, message)

            await queue.consume(answer, no_ack=True)
            self.running = True
            await gone.wait()
        finally:
            self.running = False
            if not channel.is_closed:
                await channel.close()

    async def _answer(self, channel: AbstractChannel, message: AbstractIncomingMessage) -> None:
        question = orjson.loads(message.body)
        start_or_continue_trace(question.get("request_id"), question.get("traceparent"))
        try:
            with rpc_server_span(self._service, question["name"], question.get("traceparent")):
                found = await self._answers[question["name"]](question["body"])
            reply: Document = {"found": found}
        except Exception as exc:
            log.warning("question_failed", question=question.get("name"), error=repr(exc)[:300])
            reply = {"failed": True}
        if message.reply_to:
            await channel.default_exchange.publish(
                aio_pika.Message(orjson.dumps(reply), correlation_id=message.correlation_id),
                message.reply_to,
                mandatory=False,
            )


class RpcClient:
    """The asking side: a session with a reply queue of its own."""

    def __init__(self, service: str) -> None:
        self.name = f"asks-{service}"
        self.running = False
        self._service = service
        self._queue = f"{topology.RPC_QUEUE_PREFIX}.{service}"
        self._channel: AbstractChannel | None = None
        self._reply_to = ""
        self._waiting: dict[str, asyncio.Future[Document]] = {}

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=False)
        try:
            gone = await channel_closed_event(channel)
            replies = await channel.declare_queue(exclusive=True, auto_delete=True)
            await replies.consume(self._take_reply, no_ack=True)
            self._reply_to, self._channel, self.running = replies.name, channel, True
            await gone.wait()
        finally:
            self.running, self._channel = False, None
            if not channel.is_closed:
                await channel.close()

    async def _take_reply(self, message: AbstractIncomingMessage) -> None:
        waiting = self._waiting.get(message.correlation_id or "")
        if waiting is not None and not waiting.done():
            waiting.set_result(orjson.loads(message.body))

    async def __call__(self, name: str, **body: Any) -> Document | None:
        """The owner's answer; None where it knows of no such thing. Raises Unavailable."""
        with rpc_client_span(self._service, name):
            return await self._answer(name, body)

    async def _answer(self, name: str, body: Document) -> Document | None:
        if self._channel is None:
            raise Unavailable("The message broker is not available.")
        trace = current_trace()
        question = {"name": name, "body": body, "request_id": trace.request_id, "traceparent": trace.traceparent}
        number = uuid.uuid4().hex
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._channel.default_exchange.publish(
                    aio_pika.Message(
                        orjson.dumps(question),
                        correlation_id=number,
                        reply_to=self._reply_to,
                        expiration=_PATIENCE_SECONDS,
                    ),
                    self._queue,
                    mandatory=False,
                )
                reply = await waiting
        except (TimeoutError, aio_pika.exceptions.AMQPError) as exc:
            raise Unavailable("The service that knows did not answer in time.") from exc
        finally:
            del self._waiting[number]
        if reply.get("failed"):
            raise Unavailable("The service that knows could not answer.")
        found: Document | None = reply["found"]
        return found
