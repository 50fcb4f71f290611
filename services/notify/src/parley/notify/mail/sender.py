"""Background work of mail: send deliveries as they come due."""

from __future__ import annotations

import asyncio

from parley.common.observability import tracing
from parley.common.observability.logging import get_logger, start_or_continue_trace
from parley.common.observability.tracing import SpanKind
from parley.common.runtime.backoff import Backoff
from parley.common.runtime.tasks import NotReadyYet, cancel_and_wait, keep_running
from parley.notify.mail.service import MailService
from parley.notify.timeouts import (
    MAIL_POLL_INTERVAL_SECONDS,
    SENDER_INITIAL_RETRY_SECONDS,
    SENDER_MAX_RETRY_SECONDS,
    SENDER_STOP_TIMEOUT_SECONDS,
)

log = get_logger(__name__)

_CONCURRENCY = 4
"""Connections to the mail server at a time; many servers allow few from one address."""
_LOGGED_FAILURES = (1, 10, 100)


class MailSender:
    """Claims deliveries that are due and sends up to `_CONCURRENCY` concurrently.

    A delivery whose sending fails here is claimed again at the end of its lease.
    """

    name = "mail-sender"

    def __init__(self, mails: MailService) -> None:
        self._mails = mails
        self._stopping = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._loops = [keep_running(self._run, self.name) for _ in range(_CONCURRENCY)]

    async def stop(self) -> None:
        """Claim no more deliveries, and finish those that are being sent."""
        self._stopping.set()
        if self._loops:
            await asyncio.wait(self._loops, timeout=SENDER_STOP_TIMEOUT_SECONDS)
        await cancel_and_wait(*self._loops)

    def unready_reason(self) -> str | None:
        return None

    async def _run(self) -> None:
        backoff = Backoff(initial_seconds=SENDER_INITIAL_RETRY_SECONDS, max_seconds=SENDER_MAX_RETRY_SECONDS)
        while not self._stopping.is_set():
            try:
                delivery = await self._mails.claim()
                backoff.reset()
            except Exception as exc:
                delay = backoff.next_delay()
                if backoff.failures in _LOGGED_FAILURES and not isinstance(exc, NotReadyYet):
                    log.warning("mail_claim_failed", failures=backoff.failures, error=repr(exc)[:300])
                await self._pause(delay)
                continue
            if delivery is None:
                await self._pause(MAIL_POLL_INTERVAL_SECONDS)
                continue
            trace = delivery.trace
            start_or_continue_trace(trace.request_id, trace.traceparent)
            with tracing.span("mail", SpanKind.CONSUMER, {"parley.attempts": delivery.attempts}):
                await self._mails.send(delivery)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
