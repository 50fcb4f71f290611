"""The environment of the presence service, checked before the first socket opens."""

from __future__ import annotations

from pydantic import Field

from parley.common.runtime.settings import StoreSettings


class PresenceSettings(StoreSettings):
    """What presence reads besides what every service with a store does."""

    online_seconds: int = Field(75, ge=1, le=3600, description="For how long a heartbeat keeps its sender online.")
    sweep_seconds: float = Field(0.25, gt=0, le=1, description="Between two looks for those whose time is over.")
    flush_seconds: float = Field(0.2, gt=0, le=5, description="For how long visitor heartbeats are gathered.")
    flush_size: int = Field(1000, ge=1, le=10_000, description="Visitor heartbeats written together, at most.")
    flush_waiting: int = Field(
        100_000, ge=1, le=5_000_000, description="Visitors whose heartbeats may wait to be written; above it: 503."
    )
