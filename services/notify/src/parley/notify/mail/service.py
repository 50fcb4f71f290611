"""Sends the mails that are due, and tries again over hours while the server is away.

A delivery is stored and claimed in the database. So any number of replicas share the work, and a crash loses nothing:
the delivery is claimed again when the lease of its claim ends. A mail whose acceptance was not received is sent again,
with the same Message-ID.
"""

from __future__ import annotations

from datetime import timedelta

from parley.common.errors import Unavailable
from parley.common.observability.logging import get_logger
from parley.common.runtime.backoff import backoff_seconds
from parley.common.runtime.clock import Clock
from parley.notify import metrics
from parley.notify.mail.model import MailDelivery, MailReceipt
from parley.notify.mail.ports import MailContentReader, MailDeliveryRepository, MailServer
from parley.notify.timeouts import MAIL_GIVE_UP_SECONDS, MAIL_INITIAL_RETRY_SECONDS, MAIL_MAX_RETRY_SECONDS

log = get_logger(__name__)

_MAX_AGE = timedelta(seconds=MAIL_GIVE_UP_SECONDS)


class MailService:
    """Sends one claimed delivery at a time."""

    def __init__(
        self, deliveries: MailDeliveryRepository, content: MailContentReader, server: MailServer, clock: Clock
    ) -> None:
        self._deliveries = deliveries
        self._content = content
        self._server = server
        self._clock = clock

    async def claim(self) -> MailDelivery | None:
        """Claim the next delivery that is due."""
        return await self._deliveries.claim_due(self._clock())

    async def send(self, delivery: MailDelivery) -> None:
        """Send a claimed delivery; drop it if there is nothing to send any more or it is too old; or try it later."""
        try:
            content = await self._content.find(delivery.id)
        except Unavailable as exc:
            await self._retry(delivery, MailReceipt("later", message=exc.message))
            return
        if content is None:
            await self._complete(delivery, "gone")
            return
        receipt = await self._server.send(delivery, content)
        if receipt.outcome == "later":
            await self._retry(delivery, receipt)
            return
        if receipt.outcome == "refused":
            _log_failure(delivery, "refused", receipt)
        await self._complete(delivery, receipt.outcome)

    async def report_waiting(self) -> None:
        """Show in metrics how long the oldest mail has waited, of all replicas together."""
        oldest = await self._deliveries.find_oldest()
        metrics.MAIL_WAITING.set(0.0 if oldest is None else (self._clock() - oldest).total_seconds())

    async def _retry(self, delivery: MailDelivery, receipt: MailReceipt) -> None:
        now = self._clock()
        if now - delivery.requested_at >= _MAX_AGE:
            _log_failure(delivery, "gave_up", receipt)
            await self._complete(delivery, "gave_up")
            return
        _log_failure(delivery, "later", receipt)
        metrics.MAILS.labels("later").inc()
        delay = backoff_seconds(
            delivery.attempts + 1, initial_seconds=MAIL_INITIAL_RETRY_SECONDS, max_seconds=MAIL_MAX_RETRY_SECONDS
        )
        await self._deliveries.reschedule(delivery, now + timedelta(seconds=delay))

    async def _complete(self, delivery: MailDelivery, outcome: str) -> None:
        metrics.MAILS.labels(outcome).inc()
        await self._deliveries.complete(delivery, outcome)


def _log_failure(delivery: MailDelivery, outcome: str, receipt: MailReceipt) -> None:
    log.warning(
        "mail_not_sent",
        outcome=outcome,
        status=receipt.status,
        message=receipt.message,
        mail_id=delivery.id,
        site_id=delivery.site_id,
        attempts=delivery.attempts + 1,
    )
