"""Send pushes that are due, unless the event was seen or read in the meantime.

A delivery is one per operator and conversation, stored and claimed in the database. So any number of replicas share the
work, a crash loses nothing, and an unavailable provider only moves the time of the next attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

from parley.common.errors import Unavailable
from parley.common.observability.logging import get_logger
from parley.common.runtime.backoff import backoff_seconds
from parley.common.runtime.clock import Clock
from parley.notify import metrics
from parley.notify.push.devices import OperatorDevices
from parley.notify.push.model import (
    PendingNotification,
    PushClosing,
    PushDelivery,
    PushNotification,
    PushReceipt,
    PushToken,
)
from parley.notify.push.notification_texts import render
from parley.notify.push.ports import (
    DeliveryRepository,
    PushTokenRepository,
    SeenRepository,
    SiteOperatorsReader,
    SiteOptionsReader,
)
from parley.notify.push.provider_selection import PushProviders
from parley.notify.timeouts import DELIVERY_INITIAL_RETRY_SECONDS, DELIVERY_MAX_RETRY_SECONDS

log = get_logger(__name__)

_MIN_RETRY_AFTER = timedelta(seconds=1)
"""Also for a provider that answers with a Retry-After of zero again and again."""


class PushDeliveryService:
    """Sends one claimed delivery at a time."""

    def __init__(
        self,
        deliveries: DeliveryRepository,
        seen: SeenRepository,
        tokens: PushTokenRepository,
        devices: OperatorDevices,
        site_operators: SiteOperatorsReader,
        site_options: SiteOptionsReader,
        providers: PushProviders,
        clock: Clock,
        *,
        preview: bool,
        max_age: timedelta,
    ) -> None:
        self._deliveries = deliveries
        self._seen = seen
        self._tokens = tokens
        self._devices = devices
        self._site_operators = site_operators
        self._site_options = site_options
        self._providers = providers
        self._clock = clock
        self._preview = preview
        self._max_age = max_age

    async def report_backlog(self) -> None:
        """Show in metrics what waits to be sent by all replicas together."""
        backlog = await self._deliveries.measure_backlog(self._clock())
        metrics.PUSH_BACKLOG.set(backlog.deliveries)
        metrics.PUSH_LAG.set(backlog.lag_seconds)

    async def claim(self) -> PushDelivery | None:
        """Claim the next delivery that is due."""
        return await self._deliveries.claim_due(self._clock())

    async def send(self, delivery: PushDelivery) -> None:
        """Send a claimed delivery, drop it if it is unnecessary, or reschedule it if the provider or chat fails."""
        oldest = self._clock() - self._max_age
        event_ids = [notification.event_id for notification in delivery.pending]
        seen = await self._seen.filter_seen(delivery.operator_id, event_ids)
        unseen = [
            notification
            for notification in delivery.pending
            if notification.occurred_at >= oldest and notification.event_id not in seen
        ]
        if not unseen:
            await self._complete(delivery, "seen" if seen else "gave_up")
            return
        try:
            operator = (await self._site_operators.get(delivery.site_id)).get(delivery.operator_id)
            preview = self._preview and not (await self._site_options.get(delivery.site_id)).hides_content
            newest = unseen[-1]
            devices = await self._find_devices(delivery, newest) if operator is not None else []
        except Unavailable:
            await self._reschedule(delivery, {}, None)
            return
        if operator is None:
            await self._complete(delivery, "no_access")
            return
        if not devices:
            await self._complete(delivery, "no_device")
        elif await self._deliveries.mark_sending(delivery, {token.digest: newest.number for token in devices}):
            title, body = render(operator.language, newest.kind, newest.visitor_name, newest.text, preview=preview)
            await self._send_to_devices(delivery, newest, _to_push(delivery, newest, title, body), devices)

    async def take_closing(self) -> PushClosing | None:
        """Return the next shown notification that is to be closed."""
        return await self._deliveries.take_closing(self._clock())

    async def close(self, closing: PushClosing) -> None:
        """Close a notification on the operator's devices. Not repeated: what stays on a screen still leads to the chat.

        Raises Unavailable.
        """
        tokens = await self._devices.get(closing.operator_id)
        tag = _tag(closing.conversation_id)
        receipts = await asyncio.gather(
            *(self._providers.close(token, tag) for token in tokens if token.digest in closing.devices)
        )
        for receipt in receipts:
            if receipt is not None:
                metrics.PUSHES_CLOSED.labels(receipt.outcome).inc()

    async def _find_devices(self, delivery: PushDelivery, newest: PendingNotification) -> list[PushToken]:
        """Return the operator's devices that did not get the newest notification yet. Raises Unavailable."""
        return [
            token
            for token in await self._devices.get(delivery.operator_id)
            if token.tenant_id == delivery.tenant_id
            and token.kind in self._providers.kinds
            and delivery.notified_devices.get(token.digest, 0) < newest.number
        ]

    async def _send_to_devices(
        self, delivery: PushDelivery, newest: PendingNotification, push: PushNotification, devices: Sequence[PushToken]
    ) -> None:
        receipts = await asyncio.gather(*(self._providers.send(token, push) for token in devices))
        failed: dict[str, int] = {}
        retry_after: list[timedelta] = []
        for token, receipt in zip(devices, receipts, strict=True):
            metrics.PUSHES.labels(receipt.outcome).inc()
            if receipt.outcome == "unregistered":
                await self._tokens.delete(token.digest, token.operator_id)
            elif receipt.outcome == "later":
                failed[token.digest] = delivery.notified_devices.get(token.digest, 0)
                if receipt.retry_after is not None:
                    retry_after.append(receipt.retry_after)
            elif receipt.outcome == "sent":
                metrics.PUSH_AGE.observe((self._clock() - newest.occurred_at).total_seconds())
            _log_failure(delivery, receipt)
        results = {token.digest: receipt for token, receipt in zip(devices, receipts, strict=True)}
        await self._tokens.record_results(delivery.operator_id, results, self._clock())
        if failed:
            await self._reschedule(delivery, failed, max(retry_after, default=None))
        else:
            await self._deliveries.complete(delivery, [notification.event_id for notification in delivery.pending])

    async def _complete(self, delivery: PushDelivery, outcome: str) -> None:
        metrics.PUSHES.labels(outcome).inc()
        await self._deliveries.complete(delivery, [notification.event_id for notification in delivery.pending])

    async def _reschedule(
        self, delivery: PushDelivery, failed: Mapping[str, int], retry_after: timedelta | None
    ) -> None:
        if retry_after is not None:
            delay = max(retry_after, _MIN_RETRY_AFTER)
        else:
            delay = timedelta(
                seconds=backoff_seconds(
                    delivery.attempts + 1,
                    initial_seconds=DELIVERY_INITIAL_RETRY_SECONDS,
                    max_seconds=DELIVERY_MAX_RETRY_SECONDS,
                )
            )
        await self._deliveries.reschedule(delivery, self._clock() + delay, failed)


def _log_failure(delivery: PushDelivery, receipt: PushReceipt) -> None:
    if receipt.outcome != "sent":
        log.warning(
            "push_not_accepted",
            outcome=receipt.outcome,
            status=receipt.status,
            code=receipt.code,
            operator_id=delivery.operator_id,
            attempts=delivery.attempts,
        )


def _to_push(delivery: PushDelivery, newest: PendingNotification, title: str, body: str) -> PushNotification:
    return PushNotification(
        title=title,
        body=body,
        tag=_tag(delivery.conversation_id),
        data={
            "type": newest.kind,
            "event_id": newest.event_id,
            "site_id": str(delivery.site_id),
            "conversation_id": str(delivery.conversation_id),
            "seq": str(newest.seq),
        },
    )


def _tag(conversation_id: int) -> str:
    return f"conversation-{conversation_id}"
