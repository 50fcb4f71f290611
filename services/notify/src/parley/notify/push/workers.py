"""Background work of push notifications: send deliveries as they come due."""

from __future__ import annotations

import asyncio

from parley.common.observability import tracing
from parley.common.observability.logging import get_logger, start_or_continue_trace
from parley.common.observability.tracing import Span, SpanKind
from parley.common.runtime.backoff import Backoff
from parley.common.runtime.tasks import BackgroundTasks, NotReadyYet, cancel_and_wait, keep_running
from parley.notify.push.delivery_service import PushDeliveryService
from parley.notify.push.model import PushClosing, PushDelivery
from parley.notify.timeouts import (
    SENDER_INITIAL_RETRY_SECONDS,
    SENDER_MAX_RETRY_SECONDS,
    SENDER_POLL_INTERVAL_SECONDS,
    SENDER_STOP_TIMEOUT_SECONDS,
)

log = get_logger(__name__)

_MAX_CONCURRENCY = 8
_LOGGED_FAILURES = (1, 10, 100)


class PushSender:
    """Claims deliveries that are due and sends up to `_MAX_CONCURRENCY` concurrently.

    A delivery whose sending fails here is claimed again at the end of its lease.
    """

    name = "push-sender"

    def __init__(self, deliveries: PushDeliveryService) -> None:
        self._deliveries = deliveries
        self._slots = asyncio.Semaphore(_MAX_CONCURRENCY)
        self._sending = BackgroundTasks("pushes")
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._loop = keep_running(self._run, self.name)

    async def stop(self) -> None:
        """Claim no more deliveries, and finish those that are being sent."""
        if self._loop is not None:
            await cancel_and_wait(self._loop)
        await self._sending.stop(SENDER_STOP_TIMEOUT_SECONDS)

    def unready_reason(self) -> str | None:
        return None

    async def _run(self) -> None:
        backoff = Backoff(initial_seconds=SENDER_INITIAL_RETRY_SECONDS, max_seconds=SENDER_MAX_RETRY_SECONDS)
        while True:
            await self._slots.acquire()
            delivery: PushDelivery | None = None
            closing: PushClosing | None = None
            delay_seconds = SENDER_POLL_INTERVAL_SECONDS
            try:
                delivery = await self._deliveries.claim()
                closing = await self._deliveries.take_closing() if delivery is None else None
                backoff.reset()
            except Exception as exc:
                delay_seconds = backoff.next_delay()
                if backoff.failures in _LOGGED_FAILURES and not isinstance(exc, NotReadyYet):
                    log.warning("push_claim_failed", failures=backoff.failures, error=repr(exc)[:300])
            if delivery is not None:
                self._sending.spawn(self._send(delivery), "send")
                continue
            if closing is not None:
                self._sending.spawn(self._close(closing), "close")
                continue
            self._slots.release()
            await asyncio.sleep(delay_seconds)

    async def _send(self, delivery: PushDelivery) -> None:
        try:
            newest = delivery.pending[-1].trace
            start_or_continue_trace(newest.request_id, newest.traceparent)
            with _span(delivery):
                await self._deliveries.send(delivery)
        except Exception as exc:
            log.warning("push_failed", error=repr(exc)[:300])
        finally:
            self._slots.release()

    async def _close(self, closing: PushClosing) -> None:
        try:
            await self._deliveries.close(closing)
        except Exception as exc:
            log.warning("push_closing_failed", error=repr(exc)[:300])
        finally:
            self._slots.release()


def _span(delivery: PushDelivery) -> Span:
    """The newest event, which is what is sent, is the parent; the other pending events are links."""
    *earlier, newest = (notification.trace.traceparent for notification in delivery.pending)
    attributes = {"parley.calls": len(delivery.pending), "parley.attempts": delivery.attempts}
    return tracing.span("push", SpanKind.CONSUMER, attributes, parent=newest, links=earlier)
