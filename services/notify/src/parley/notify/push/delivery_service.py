"""Deliveries of pushes: one per operator and conversation, due a while after the event, unless it was seen or read.

Everything stands in the database and is claimed there, so any number of replicas share the work, a crash loses
nothing, and a provider that is away only moves the time at which it is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from parley.common.errors import Unavailable
from parley.common.observability.logging import Trace, logger
from parley.common.runtime.clock import Clock
from parley.notify import metrics
from parley.notify.push.model import Provider, Push, Receipt
from parley.notify.push.notification_texts import wording
from parley.notify.push.sites import Sites
from parley.notify.push.team import Team
from parley.notify.push.tokens import PushToken, TokenStore
from parley.notify.push.triggers import Occasion, OccasionKind

log = logger(__name__)

_FIRST_RETRY = timedelta(seconds=2)
_LONGEST_RETRY = timedelta(minutes=10)
_SHORTEST_WAIT = timedelta(seconds=1)
"""Also for a provider that says it may be asked again at once, again and again."""


@dataclass(frozen=True, slots=True)
class Call:
    """One event that waits to be pushed. `number` counts the events of a delivery, from 1."""

    event_id: str
    number: int
    kind: OccasionKind
    seq: int
    name: str = field(repr=False)
    text: str = field(repr=False)
    at: datetime
    trace: Trace


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one operator is to be told of one conversation. `told` says up to which call each device was told."""

    id: str
    operator_id: int
    tenant_id: int
    site_id: int
    conversation_id: int
    calls: tuple[Call, ...]
    told: Mapping[str, int]
    attempts: int
    claim: str


class DeliveryStore(Protocol):
    """Deliveries in the database; every step is atomic, and those after a claim hold only while the claim does."""

    async def call(self, occasion: Occasion, operator_id: int, due: datetime) -> None:
        """Add an event to the operator's delivery; one that was added before, ever, is not added again."""

    async def settle(self, conversation_id: int, operator_id: int | None, seq: int | None) -> None:
        """Drop what is unnecessary now: of one operator (or all), up to a seq (or everything)."""

    async def claim(self, now: datetime) -> Delivery | None:
        """Take one that is due; others see it again when the lease is over."""

    async def telling(self, delivery: Delivery, told: Mapping[str, int]) -> bool:
        """Record, before sending, what devices are about to be told. False where the claim or all calls are gone."""

    async def finish(self, delivery: Delivery, calls: Collection[str]) -> None:
        """These events are done with."""

    async def postpone(self, delivery: Delivery, due: datetime, told: Mapping[str, int]) -> None:
        """Try again then; `told` puts right what was recorded of devices that were not told after all."""

    async def kept(self, conversation_ids: Sequence[int]) -> list[dict[str, Any]]:
        """What is kept of conversations, as the visitor may read it."""

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        """Forget all deliveries about conversations."""


class SeenStore(Protocol):
    """Which events an operator's stream has shown, as far as a push may depend on it."""

    async def seen(self, operator_id: int, event_ids: Sequence[str]) -> set[str]:
        """Those of these that were shown."""


class Deliveries:
    """Sends what is due."""

    def __init__(
        self,
        store: DeliveryStore,
        seen: SeenStore,
        tokens: TokenStore,
        team: Team,
        sites: Sites,
        provider: Provider,
        clock: Clock,
        *,
        preview: bool,
        give_up: timedelta,
    ) -> None:
        self._store = store
        self._seen = seen
        self._tokens = tokens
        self._team = team
        self._sites = sites
        self._provider = provider
        self._clock = clock
        self._preview = preview
        self._give_up = give_up

    async def claim(self) -> Delivery | None:
        """The next that is due."""
        return await self._store.claim(self._clock())

    async def send(self, delivery: Delivery) -> None:
        """Bring a claimed delivery to its end, or postpone it."""
        oldest = self._clock() - self._give_up
        seen = await self._seen.seen(delivery.operator_id, [call.event_id for call in delivery.calls])
        calls = [call for call in delivery.calls if call.at >= oldest and call.event_id not in seen]
        every = [call.event_id for call in delivery.calls]
        if not calls:
            await self._end(delivery, every, "seen" if seen else "gave_up")
            return
        try:
            member = (await self._team.of(delivery.site_id)).get(delivery.operator_id)
            preview = self._preview and not (await self._sites.of(delivery.site_id)).private
        except Unavailable:
            await self._later(delivery, {}, None)
            return
        tokens = await self._tokens.of(delivery.operator_id) if member is not None else []
        tokens = [token for token in tokens if token.tenant_id == delivery.tenant_id]
        newest = calls[-1]
        targets = [token for token in tokens if delivery.told.get(token.digest, 0) < newest.number]
        if member is None or not targets:
            await self._end(delivery, every, "no_access" if member is None else "no_device")
        elif await self._store.telling(delivery, {token.digest: newest.number for token in targets}):
            title, body = wording(member.language, newest.kind, newest.name, newest.text, preview=preview)
            await self._send_to(delivery, newest, _push(delivery, newest, title, body), targets)

    async def _send_to(self, delivery: Delivery, call: Call, push: Push, targets: Sequence[PushToken]) -> None:
        receipts = await asyncio.gather(*(self._provider.send(token, push) for token in targets))
        missed: dict[str, int] = {}
        waits: list[timedelta] = []
        for token, receipt in zip(targets, receipts, strict=True):
            metrics.PUSHES.labels(receipt.outcome).inc()
            if receipt.outcome == "unregistered":
                await self._tokens.remove(token.digest, token.operator_id)
            elif receipt.outcome == "later":
                missed[token.digest] = delivery.told.get(token.digest, 0)
                if receipt.retry_after is not None:
                    waits.append(receipt.retry_after)
            elif receipt.outcome == "sent":
                metrics.PUSH_AGE.observe((self._clock() - call.at).total_seconds())
            self._report(delivery, receipt)
        if missed:
            await self._later(delivery, missed, max(waits, default=None))
        else:
            await self._store.finish(delivery, [waiting.event_id for waiting in delivery.calls])

    async def _end(self, delivery: Delivery, event_ids: Collection[str], outcome: str) -> None:
        metrics.PUSHES.labels(outcome).inc()
        await self._store.finish(delivery, event_ids)

    async def _later(self, delivery: Delivery, missed: Mapping[str, int], wait: timedelta | None) -> None:
        backoff = min(_LONGEST_RETRY, _FIRST_RETRY * 2 ** min(delivery.attempts, 10))
        pause = max(wait, _SHORTEST_WAIT) if wait is not None else backoff
        await self._store.postpone(delivery, self._clock() + pause, missed)

    def _report(self, delivery: Delivery, receipt: Receipt) -> None:
        if receipt.outcome != "sent":
            log.warning(
                "push_not_taken",
                outcome=receipt.outcome,
                status=receipt.status,
                code=receipt.code,
                operator_id=delivery.operator_id,
                attempts=delivery.attempts,
            )


def _push(delivery: Delivery, call: Call, title: str, body: str) -> Push:
    return Push(
        title=title,
        body=body,
        tag=f"conversation-{delivery.conversation_id}",
        data={
            "type": call.kind,
            "event_id": call.event_id,
            "site_id": str(delivery.site_id),
            "conversation_id": str(delivery.conversation_id),
            "seq": str(call.seq),
        },
    )
