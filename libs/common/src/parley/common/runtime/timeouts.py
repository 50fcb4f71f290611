"""Every timeout of this package, in seconds."""

from __future__ import annotations

from typing import Final

STARTUP_GRACE_SECONDS: Final = 3.0
"""How long the public listener stays closed while a component is not ready; then requests are answered with 503."""
STARTUP_POLL_SECONDS: Final = 0.02
DEGRADED_CHECK_SECONDS: Final = 1.0
PROBE_INTERVAL_SECONDS: Final = 10.0
"""Between two requests of a process to its own public listener."""
PROBE_TIMEOUT_SECONDS: Final = 10.0
PROBE_STUCK_SECONDS: Final = 60.0
"""Without a response for longer, the liveness probe fails."""
INTERNAL_LISTENER_STOP_SECONDS: Final = 1.0
BACKGROUND_TASKS_STOP_SECONDS: Final = 10.0
CANCEL_RETRY_SECONDS: Final = 1.0
PERIODIC_MAX_RETRY_SECONDS: Final = 5.0
RESTART_INITIAL_SECONDS: Final = 0.5
"""Before a background task that failed starts again; doubled with each failure."""
RESTART_MAX_SECONDS: Final = 30.0
"""Also how long a task must have run for its next failure to count as the first."""
TRACE_FLUSH_SECONDS: Final = 3.0
"""For the spans that wait to be exported when everything else has stopped."""
