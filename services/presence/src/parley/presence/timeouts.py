"""Every timeout, delay and interval of presence that is not a setting, in seconds."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

HEARTBEAT_WRITE_TIMEOUT_SECONDS: Final = 10.0
"""For one batch of visitor heartbeats."""
HEARTBEAT_RETRY_DELAY_SECONDS: Final = 0.5
"""Between a failed batch and the next attempt."""
HEARTBEAT_STOP_TIMEOUT_SECONDS: Final = 5.0
"""For writing the pending heartbeats when the service stops."""
ONLINE_METRIC_INTERVAL_SECONDS: Final = 15.0
"""Between two counts of who is online."""
EXPIRY_PUBLISH_TIMEOUT_SECONDS: Final = 1.0
"""For the broker to take one batch of expiry events before the next batch is claimed."""
WIDGET_SIGHTING_INTERVAL: Final = timedelta(minutes=1)
"""How often a replica stores at most that a site's widget was seen."""
WIDGET_SIGHTING_RETENTION: Final = timedelta(days=365)
"""How long it is known that a widget was seen."""
OUTBOX_GRACE: Final = timedelta(seconds=5)
"""Time in which only the replica that wrote an event publishes it. Thousands of visitors may come or go at the same
time: with less time, the other replicas would publish their events again."""
