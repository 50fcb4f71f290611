"""Timeouts of HTTP clients, in seconds."""

from __future__ import annotations

from typing import Final

RESOLVE_TIMEOUT_SECONDS: Final = 3.0
"""To resolve the host name of an endpoint that a user named."""
