"""What a push says, and what came of sending one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, Protocol

from parley.notify.push.tokens import PushToken

Outcome = Literal["sent", "unregistered", "refused", "later"]
"""`later`: the provider is away or wants to be asked less often. `refused`: it never will take this one."""


@dataclass(frozen=True, slots=True)
class Push:
    """A notification for one operator's devices. Those with the same `tag` replace each other on the screen."""

    title: str
    body: str = field(repr=False)
    tag: str
    data: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider's answer: its own status, code and words, and when it may be asked again."""

    outcome: Outcome
    status: int = 0
    code: str = ""
    words: str = ""
    retry_after: timedelta | None = None


class Provider(Protocol):
    """Who carries pushes to devices."""

    async def send(self, token: PushToken, push: Push) -> Receipt:
        """Send to one device. Does not raise: what goes wrong is in the receipt."""
