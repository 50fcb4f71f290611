"""Every timeout and interval of this package, in seconds unless named otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

SERVER_SELECTION_TIMEOUT_MS: Final = 1500
CONNECT_TIMEOUT_MS: Final = 2000
SOCKET_TIMEOUT_SECONDS: Final = 10.0
POOL_WAIT_TIMEOUT_MS: Final = 2000
WRITE_CONCERN_TIMEOUT_MS: Final = 5000

HEALTH_INTERVAL_SECONDS: Final = 1.0
UNAVAILABLE_INTERVAL_SECONDS: Final = 0.25
"""Between two health checks while the server does not answer."""
CHECK_DEADLINE_SECONDS: Final = 15.0
"""A health check in progress for longer makes the service unready; above every timeout of its calls."""
STUCK_SECONDS: Final = 60.0
"""A health check in progress for longer fails the liveness probe."""
SCHEMA_ERROR_INTERVAL_SECONDS: Final = 5.0
"""Between two attempts while the schema needs an administrator."""

HEARTBEAT_INTERVAL_SECONDS: Final = 10.0
"""Between two records that this version of the code runs; well below `CODE_ABSENCE`."""
CODE_ABSENCE: Final = timedelta(seconds=60)
"""A version of the code that was not recorded for so long is gone."""
LOCK_LEASE: Final = timedelta(seconds=20)
LOCK_POLL_SECONDS: Final = 0.5
DEFERRED_MIGRATIONS_INTERVAL_SECONDS: Final = 15.0

OUTBOX_DRAIN_TIMEOUT_SECONDS: Final = 5.0
"""For entries that are queued when the process stops."""
OUTBOX_SWEEP_INTERVAL_SECONDS: Final = 1.0
OUTBOX_INSERT_DELAY_SECONDS: Final = 0.1
OUTBOX_REMOVE_DELAY_SECONDS: Final = 0.5
"""Between a change and its batch of inserts or removals. Well below the grace period: otherwise the sweepers of other
replicas would publish everything again."""
OUTBOX_GRACE: Final = timedelta(seconds=2)
"""The sweeper leaves younger entries to the process that wrote them. Longer under load: see `SweepGrace`."""
OUTBOX_DELAY_INTERVAL_SECONDS: Final = 5.0
"""An observed delay lengthens the grace for one to two of these."""

MIGRATION_LOG_INTERVAL_SECONDS: Final = 5.0
IDEMPOTENCY_LEASE: Final = timedelta(seconds=15)
"""How long an unfinished first request keeps its key: a process that died must not keep it for a day."""
