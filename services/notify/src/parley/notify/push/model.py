"""Devices, notifications, deliveries, and what the provider answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from parley.common.observability.logging import TraceContext
from parley.notify.push.triggers import PushKind
from parley.notify.streaming.positions import RecordFingerprint

INITIAL_POSITION: Final = -1
"""The position of a cursor before the first event of the log."""

Platform = Literal["android", "ios", "web", "unknown"]

PushOutcome = Literal["sent", "unregistered", "refused", "later"]
"""`later`: the provider is unavailable or limits the rate, so try again. `refused`: a retry cannot succeed."""


DeviceKind = Literal["fcm", "web_push"]
"""How a device is reached: by Firebase Cloud Messaging, or by the push service of its browser."""


@dataclass(frozen=True, slots=True)
class SubscriptionKeys:
    """What encrypts the messages of a browser's subscription: its public key and its authentication secret."""

    p256dh: bytes = field(repr=False)
    auth: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeviceResult:
    """What became of the last push to a device."""

    at: datetime
    outcome: PushOutcome
    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class PushToken:
    """A device of an operator. `digest` identifies it in records and logs, where the token itself must not appear.

    The token of a browser's subscription is its endpoint.
    """

    digest: str
    token: str = field(repr=False)
    operator_id: int
    tenant_id: int
    platform: Platform
    language: str
    registered_at: datetime
    login: str | None = None
    """The login session or API key that registered it, with which it ends; see `OperatorCaller.login`."""
    keys: SubscriptionKeys | None = None
    """Of a browser's subscription; None for FCM."""
    name: str = ""
    """What the operator recognizes it by, like "Chrome on Android"; not every client gives one."""
    last_result: DeviceResult | None = None

    @property
    def kind(self) -> DeviceKind:
        return "fcm" if self.keys is None else "web_push"


@dataclass(frozen=True, slots=True)
class PushNotification:
    """What is shown on a device. Notifications with the same `tag` replace each other on the screen."""

    title: str
    body: str = field(repr=False)
    tag: str
    data: dict[str, str] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        """The web push topic: at most 32 characters of base64url (RFC 8030, 5.4)."""
        return self.tag[-32:]


@dataclass(frozen=True, slots=True)
class PushReceipt:
    """The provider's answer. `status` is its HTTP status, 0 if it did not answer."""

    outcome: PushOutcome
    status: int = 0
    code: str = ""
    message: str = ""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PendingNotification:
    """An event that waits to be pushed. `number` counts the events of a delivery, from 1."""

    event_id: str
    number: int
    kind: PushKind
    seq: int
    visitor_name: str = field(repr=False)
    text: str = field(repr=False)
    occurred_at: datetime
    trace: TraceContext


@dataclass(frozen=True, slots=True)
class PushDelivery:
    """What one operator is to be notified of in one conversation.

    `notified_devices` maps a token's digest to the `number` of the last notification that was sent to it.
    `claim_id` identifies the claim under which it is being sent.
    """

    id: str
    operator_id: int
    tenant_id: int
    site_id: int
    conversation_id: int
    pending: tuple[PendingNotification, ...]
    notified_devices: Mapping[str, int]
    attempts: int
    claim_id: str


@dataclass(frozen=True, slots=True)
class PushClosing:
    """A notification that became unnecessary after it was sent, and the digests of the devices that may show it."""

    operator_id: int
    conversation_id: int
    devices: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a partition of the event log is planned.

    `fingerprint` is that of a record of the log. Events from before `since` cause no push. `holder`
    is the replica whose lease has not ended.
    """

    position: int
    fingerprint: RecordFingerprint | None
    since: datetime
    holder: str | None


@dataclass(frozen=True, slots=True)
class CursorTable:
    """The cursors by partition, and the replicas that plan pushes, each with the partitions of its streams."""

    replicas: Mapping[str, frozenset[int]]
    cursors: Mapping[int, Cursor]


@dataclass(frozen=True, slots=True)
class ChatOperator:
    """An operator who may chat on a site, their language (BCP 47), and the teams of the site that they are in."""

    operator_id: int
    language: str
    team_ids: frozenset[int] = frozenset()
    manages_site: bool = False


@dataclass(frozen=True, slots=True)
class SitePushOptions:
    """A site's choices.

    With `hides_content`, a push shows neither names nor texts. Without `notifies_when_pending`, a waiting visitor
    causes no push.
    """

    hides_content: bool = False
    notifies_when_pending: bool = True


@dataclass(frozen=True, slots=True)
class PushBacklog:
    """Deliveries that senders have to work off: how many are due or in hand, and how long the oldest has been due."""

    deliveries: int
    lag_seconds: float
