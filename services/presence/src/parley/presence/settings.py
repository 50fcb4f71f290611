"""Environment variables of the presence service, validated before the first socket opens."""

from __future__ import annotations

from pydantic import Field

from parley.common.runtime.settings import SILENT_VISITOR_DAYS_DESCRIPTION, DatabaseSettings


class PresenceSettings(DatabaseSettings):
    """Settings of presence, in addition to those of every service with a database."""

    online_seconds: int = Field(75, ge=1, le=3600, description="Time to live of a heartbeat, in seconds.")
    sweep_seconds: float = Field(0.25, gt=0, le=1, description="Interval of the search for expired records.")
    flush_seconds: float = Field(0.2, gt=0, le=5, description="Time for which visitor heartbeats are buffered.")
    flush_size: int = Field(1000, ge=1, le=10_000, description="Maximum number of visitor heartbeats in one write.")
    silent_visitor_days: int = Field(1, ge=1, le=365, description=SILENT_VISITOR_DAYS_DESCRIPTION)
    flush_waiting: int = Field(
        100_000, ge=1, le=5_000_000, description="Maximum number of buffered visitors; above it, heartbeats get 503."
    )
