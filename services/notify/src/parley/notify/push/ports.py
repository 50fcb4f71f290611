"""What push notifications need from the database, the provider and chat."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from parley.notify.push.model import (
    ChatOperator,
    Cursor,
    CursorTable,
    PushBacklog,
    PushClosing,
    PushDelivery,
    PushNotification,
    PushReceipt,
    PushToken,
    SitePushOptions,
)
from parley.notify.push.triggers import PushTrigger
from parley.notify.streaming.positions import RecordFingerprint


class PushTokenRepository(Protocol):
    """Push tokens by digest and by operator."""

    async def upsert(self, token: PushToken) -> None:
        """Store a token. A token of another operator moves to this one."""

    async def delete_oldest(self, operator_id: int, max_tokens: int) -> None:
        """Delete an operator's oldest tokens, so that at most `max_tokens` remain."""

    async def get_for_operator(self, operator_id: int) -> list[PushToken]:
        """Return an operator's tokens, newest first."""

    async def filter_with_tokens(self, operator_ids: Iterable[int]) -> set[int]:
        """Return those of these operators who have a token of a kind that the installation can reach."""

    async def record_results(self, operator_id: int, receipts: Mapping[str, PushReceipt], at: datetime) -> None:
        """Keep what became of the last push to an operator's devices, by digest."""

    async def delete(self, digest: str, operator_id: int) -> None:
        """Delete a token if it still belongs to this operator."""

    async def delete_ended(self, tokens: Iterable[PushToken]) -> None:
        """Delete tokens whose login has ended, unless another login has registered them meanwhile."""

    async def delete_all(self, operator_id: int) -> None:
        """Delete all of an operator's tokens."""


class LoginReader(Protocol):
    """Operators' logins, as chat knows them."""

    async def filter_valid(self, operator_id: int, logins: Collection[str]) -> frozenset[str]:
        """Return those of an operator's logins that have not ended. Raises Unavailable."""


class DeliveryRepository(Protocol):
    """Deliveries in the database. Every method is atomic; those after a claim have an effect only while it holds."""

    async def add(self, trigger: PushTrigger, operator_id: int, due: datetime) -> None:
        """Add an event to the operator's delivery. Idempotent by event id."""

    async def cancel(self, conversation_id: int, operator_id: int | None, up_to_seq: int | None) -> None:
        """Drop pending notifications of a conversation: of one operator or (None) all, up to a seq or (None) all.

        Those that were sent are to be closed.
        """

    async def claim_due(self, now: datetime) -> PushDelivery | None:
        """Claim a delivery that is due. Other replicas see it again when the lease ends."""

    async def take_closing(self, now: datetime) -> PushClosing | None:
        """Return a shown notification that is to be closed, once."""

    async def measure_backlog(self, now: datetime) -> PushBacklog:
        """Measure the deliveries that are due or claimed; those that wait for their time do not count."""

    async def mark_sending(self, delivery: PushDelivery, devices: Mapping[str, int]) -> bool:
        """Record, before sending, which devices get which notification. It can be closed from then on.

        Return False if the claim or the pending notifications are gone.
        """

    async def complete(self, delivery: PushDelivery, event_ids: Collection[str]) -> None:
        """Remove these events from the delivery and end the claim."""

    async def reschedule(self, delivery: PushDelivery, due: datetime, devices: Mapping[str, int]) -> None:
        """End the claim and try again at `due`. `devices` corrects `notified_devices` where sending failed."""

    async def find_stored(self, conversation_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Return what is stored about conversations, in a form that the visitor may read."""

    async def delete_for_conversations(self, conversation_ids: Sequence[int]) -> None:
        """Delete all deliveries of conversations."""


class SeenRepository(Protocol):
    """Which operators' streams have shown which events, for as long as a push may be pending."""

    async def add(self, operators_by_event: Mapping[str, Iterable[int]]) -> None:
        """Record operators by the id of the event that they were shown."""

    async def filter_seen(self, operator_id: int, event_ids: Sequence[str]) -> set[str]:
        """Return those of these events that a stream of the operator has shown."""


class CursorRepository(Protocol):
    """The planner's cursors: one a partition for all replicas, under a lease."""

    async def create_missing(self) -> None:
        """Create the cursors that do not exist, before the first position of their partitions."""

    async def read_table(self, holder: str, streams: Sequence[int]) -> CursorTable:
        """Report this replica and the partitions of its streams, renew its leases, and return the table."""

    async def acquire(self, partition: int, holder: str) -> Cursor | None:
        """Take a lease and return the cursor; None if another holder has it."""

    async def advance(self, partition: int, holder: str, position: int, fingerprint: RecordFingerprint | None) -> None:
        """Record that everything up to this position is planned."""

    async def release(self, partition: int, holder: str) -> None:
        """Give a lease up, so that another replica can take it immediately."""

    async def leave(self, holder: str) -> None:
        """Give all leases up, and be no replica any more."""

    async def get(self, partition: int) -> Cursor | None:
        """Return a cursor; None if planning never started."""

    async def reset(self, partition: int) -> None:
        """Move a cursor before the first position, since the broker has a new log."""


class PushProvider(Protocol):
    """A service that carries push notifications to devices."""

    async def send(self, token: PushToken, notification: PushNotification) -> PushReceipt:
        """Send to one device. Does not raise: failures are in the receipt."""


class ClosingPushProvider(PushProvider, Protocol):
    """A provider that can close what it has shown."""

    async def close(self, token: PushToken, tag: str) -> PushReceipt | None:
        """Close a notification on one device; None where the device does not allow it. Does not raise."""


class EndpointCheck(Protocol):
    """Decides which push services may be called."""

    async def __call__(self, endpoint: str, /) -> str | None:
        """Return why an endpoint may not be used."""


class SiteOptionsReader(Protocol):
    """Sites' push options, as chat knows them."""

    async def get(self, site_id: int, /) -> SitePushOptions:
        """Raises Unavailable."""


class SiteOperatorsReader(Protocol):
    """The operators who may chat on a site, as chat knows them."""

    async def get(self, site_id: int, /) -> Mapping[int, ChatOperator]:
        """Return them by id. Raises Unavailable."""
