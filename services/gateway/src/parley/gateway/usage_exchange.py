"""Reports to the other gateways what this one took from rate limits and which sessions it let in, and receives theirs.

Every gateway has an exclusive queue at the broker. Messages are transient and unconfirmed. While the broker is away,
each gateway counts for itself. Gateways with other limits have other buckets, and receive no reports about these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import aio_pika
import orjson
from aio_pika.abc import AbstractConnection, AbstractExchange, AbstractIncomingMessage, DeliveryMode, ExchangeType

from parley.common.messaging.broker import channel_closed_event
from parley.common.observability.logging import get_logger
from parley.common.runtime.coalescing_timer import CoalescingTimer
from parley.common.runtime.tasks import run_until_one_ends
from parley.gateway import metrics
from parley.gateway.rate_limit.limiter import BucketKey, Usage
from parley.gateway.rate_limit.limits import RateLimitScope
from parley.gateway.timeouts import USAGE_INTERVAL_SECONDS

log = get_logger(__name__)

_EXCHANGE = "parley.rate_limits"
_MAX_QUEUED = 1000
_MAX_UNREPORTED = 10_000
"""Buckets, and sessions; more are not reported while the broker is slow."""


class UsageExchange:
    """A channel session.

    `on_usage` is called with what another gateway of the same `group` took, `on_session` with each session it let in.
    """

    name = "rate-limits"

    def __init__(self, group: str, on_usage: Callable[[Usage], None], on_session: Callable[[str], None]) -> None:
        self.running = False
        self.publishes = True
        self._group = group
        self._on_usage = on_usage
        self._on_session = on_session
        self._queue_name = ""
        self._unreported: dict[BucketKey, int] = {}
        self._unreported_sessions: list[str] = []
        self._timer = CoalescingTimer(USAGE_INTERVAL_SECONDS)

    def report_usage(self, usage: Usage) -> None:
        """Report soon what was taken; without effect while the broker is away."""
        if self.running and len(self._unreported) < _MAX_UNREPORTED:
            self._unreported[usage.bucket] = self._unreported.get(usage.bucket, 0) + usage.tokens
            self._timer.schedule()

    def report_session(self, session_handle: str) -> None:
        """Report soon a session that was let in; without effect while the broker is away."""
        if self.running and len(self._unreported_sessions) < _MAX_UNREPORTED:
            self._unreported_sessions.append(session_handle)
            self._timer.schedule()

    async def run(self, connection: AbstractConnection) -> None:
        channel = await connection.channel(publisher_confirms=False)
        try:
            closed = await channel_closed_event(channel)
            exchange = await channel.declare_exchange(_EXCHANGE, ExchangeType.DIRECT, durable=True)
            queue = await channel.declare_queue(
                exclusive=True, auto_delete=True, arguments={"x-max-length": _MAX_QUEUED, "x-overflow": "drop-head"}
            )
            await queue.bind(exchange, self._group)
            self._queue_name = queue.name
            await queue.consume(self._on_message, no_ack=True)
            self.running = True
            await run_until_one_ends(self._publish_reports(exchange), closed.wait())
        finally:
            self.running = False
            self._unreported.clear()
            self._unreported_sessions.clear()
            if not channel.is_closed:
                await channel.close()

    async def _publish_reports(self, exchange: AbstractExchange) -> None:
        while True:
            await self._timer.wait()
            usages, self._unreported = self._unreported, {}
            sessions, self._unreported_sessions = self._unreported_sessions, []
            message = aio_pika.Message(
                _encode(usages.items(), sessions), app_id=self._queue_name, delivery_mode=DeliveryMode.NOT_PERSISTENT
            )
            await exchange.publish(message, routing_key=self._group, mandatory=False)

    async def _on_message(self, message: AbstractIncomingMessage) -> None:
        if message.app_id == self._queue_name:
            return
        try:
            usages, sessions = _decode(message.body)
        except (ValueError, TypeError, KeyError) as exc:
            log.warning("usage_malformed", error=repr(exc)[:200])
            return
        metrics.USAGES_REPORTED.inc(len(usages))
        for usage in usages:
            self._on_usage(usage)
        for session_handle in sessions:
            self._on_session(session_handle)


def _encode(usages: Iterable[tuple[BucketKey, int]], sessions: Sequence[str]) -> bytes:
    return orjson.dumps({"usages": [(*bucket, tokens) for bucket, tokens in usages], "sessions": sessions})


def _decode(body: bytes) -> tuple[list[Usage], list[str]]:
    """Raises ValueError, TypeError or KeyError for a malformed body."""
    document: dict[str, Any] = orjson.loads(body)
    usages = [
        Usage(BucketKey(RateLimitScope(scope), str(rate_class), str(key)), int(tokens))
        for scope, rate_class, key, tokens in document["usages"]
    ]
    return usages, [str(session_handle) for session_handle in document["sessions"]]
