"""Timeouts and intervals of HTTP, in seconds."""

from __future__ import annotations

from typing import Final

RESOLVE_TIMEOUT_SECONDS: Final = 3.0
"""To resolve the host name of an endpoint that a user named."""
IDEMPOTENCY_RENEWAL_SECONDS: Final = 5.0
"""Between two renewals of the claim on an Idempotency-Key, whose lease is three times as long."""
