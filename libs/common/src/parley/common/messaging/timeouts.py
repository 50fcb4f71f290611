"""Every timeout of this package, in seconds unless named otherwise."""

from __future__ import annotations

from typing import Final

CONNECT_TIMEOUT_SECONDS: Final = 5.0
HEARTBEAT_SECONDS: Final = 10
"""Interval of AMQP heartbeats; a peer that misses two is gone."""
DECLARE_TIMEOUT_SECONDS: Final = 15.0
"""For the exchanges and the log stream on a new connection; a cluster elects the stream's leader meanwhile."""
CLOSE_TIMEOUT_SECONDS: Final = 2.0
CONFIRM_TIMEOUT_SECONDS: Final = 5.0
BLOCKED_CHECK_SECONDS: Final = 0.5
UNCONFIRMED_RECONNECT_SECONDS: Final = 60.0
"""How long a connected broker may not confirm before the connection is taken for broken."""
EPHEMERAL_TIMEOUT_SECONDS: Final = 1.0
RPC_TIMEOUT_SECONDS: Final = 2.0
"""From the request to the reply. The request expires in the queue after it."""
RPC_QUEUE_EXPIRES_MS: Final = 60_000
"""After which the broker deletes the queue of requests that no replica consumes."""
PREVIOUS_RPC_IDLE_SECONDS: Final = 24 * 3600.0
"""Without a request for this long, no replica of the previous version is taken to run."""
PREVIOUS_RPC_RETRY_SECONDS: Final = 30.0

RESTART_DELAY_SECONDS: Final = 0.1
"""Before a connection or a session that ended without a failure starts again."""
RECONNECT_INITIAL_SECONDS: Final = 0.2
RECONNECT_MAX_SECONDS: Final = 2.0
REDELIVERY_INITIAL_SECONDS: Final = 0.1
REDELIVERY_MAX_SECONDS: Final = 3.0
