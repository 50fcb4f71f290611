"""What transcripts by e-mail need from storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from parley.chat.audit.model import AuditEntry
from parley.chat.transcripts.model import TranscriptRequest


class TranscriptRequests(Protocol):
    """The requests of the last days."""

    async def add(self, request: TranscriptRequest, entry: AuditEntry | None) -> None:
        """Store a request with its event, and an audit entry for an operator's, in one write."""

    async def find(self, request_id: str) -> TranscriptRequest | None:
        """None if the visitor was erased since, or after the days for which requests are kept."""


class DailyLimits(Protocol):
    """Counters that begin again every day (UTC)."""

    async def acquire(self, limits: Mapping[str, int]) -> bool:
        """Count one in each of the named counters; False, and none is counted, if one has reached its limit."""
