"""What runs by itself: the sender, which claims deliveries as they come due, a bounded number at a time."""

from __future__ import annotations

import asyncio

from parley.common.observability import tracing
from parley.common.observability.logging import continue_trace, logger
from parley.common.observability.tracing import Kind, Span
from parley.common.runtime.tasks import TaskGroup, cancel_and_wait
from parley.notify.push.delivery_service import Deliveries, Delivery

log = logger(__name__)

_AT_ONCE = 8
_IDLE_SECONDS = 0.25
_PATIENCE_SECONDS = 15.0


class Sender:
    """A part that sends. A delivery that fails here is claimed again when its lease is over."""

    name = "push-sender"

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._work = TaskGroup("pushes")
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._loop = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Claim no more; finish what is being sent."""
        if self._loop is not None:
            await cancel_and_wait(self._loop)
        await self._work.stop(_PATIENCE_SECONDS)

    def fault(self) -> str | None:
        return None

    async def _run(self) -> None:
        failures = 0
        while True:
            await self._free.acquire()
            delivery: Delivery | None = None
            try:
                delivery = await self._deliveries.claim()
                failures = 0
            except Exception as exc:
                failures += 1
                if failures in (1, 10, 100):
                    log.warning("pushes_not_claimed", failures=failures, error=repr(exc)[:300])
            if delivery is not None:
                self._work.spawn(self._send(delivery), "send")
                continue
            self._free.release()
            await asyncio.sleep(_IDLE_SECONDS if not failures else min(5.0, _IDLE_SECONDS * 2 ** min(failures, 5)))

    async def _send(self, delivery: Delivery) -> None:
        try:
            newest = delivery.calls[-1].trace
            continue_trace(newest.request_id, newest.traceparent)
            with _span(delivery):
                await self._deliveries.send(delivery)
        except Exception as exc:
            log.warning("push_interrupted", error=repr(exc)[:300])
        finally:
            self._free.release()


def _span(delivery: Delivery) -> Span:
    """A child of what caused the newest call, for that is what is sent; the others, gathered into it, are links."""
    *earlier, newest = (call.trace.traceparent for call in delivery.calls)
    attributes = {"parley.calls": len(delivery.calls), "parley.attempts": delivery.attempts}
    return tracing.span("push", Kind.CONSUMER, attributes, parent=newest, links=earlier)
