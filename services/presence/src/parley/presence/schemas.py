"""Response schemas that operators and visitors share."""

from __future__ import annotations

from parley.common.http import SuccessResponse


class HeartbeatResponse(SuccessResponse):
    """The time to live of the heartbeat, in seconds."""

    expires_in: int
