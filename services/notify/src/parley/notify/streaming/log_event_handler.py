"""The interface of what else handles the events of a partition, in addition to the streams (push notifications)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from parley.common.events import Event
from parley.notify.streaming.positions import RecordFingerprint


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where a handler continues: after `position`, with events that happened at `not_before` or later.

    `fingerprint` is that of a record of the log that `position` is of, if one is known.
    """

    position: int
    fingerprint: RecordFingerprint | None
    not_before: datetime


class LogEventHandler(Protocol):
    """Handles the events of a partition, in addition to the streams."""

    def on_event(self, event: Event, position: int) -> None:
        """Called for every event, at least once, in the log's order."""

    async def on_log_replaced(self) -> None:
        """Called when the broker has lost the log: events are missing, and positions start again."""

    async def resume_point(self) -> ResumePoint | None:
        """Asked when the partition is followed: what this handler must not miss; None for nothing."""
