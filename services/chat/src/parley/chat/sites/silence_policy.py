"""When a site closes conversations whose visitor does not answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class SilencePolicy:
    """When a conversation is closed because its visitor does not answer the operator."""

    until_closed: timedelta
    """From the operator's last message."""
    notice: timedelta
    """How long before the end the visitor gets a notice; zero: none."""

    def first_step(self, since: datetime) -> datetime:
        """When the notice, or without one the end, is due."""
        return since + self.until_closed - self.notice
