"""How long a signed identity is valid, in seconds."""

from __future__ import annotations

from typing import Final

IDENTITY_LIFETIME_SECONDS: Final = 60
CLOCK_SKEW_SECONDS: Final = 30
"""By which the clocks of the gateway and a service may differ."""
