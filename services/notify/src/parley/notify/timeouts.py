"""Every timeout, lease and interval of notify that is not a setting. All values are seconds."""

from __future__ import annotations

from typing import Final

# Streams.
HUB_MAINTENANCE_INTERVAL_SECONDS: Final = 0.25
UNACKNOWLEDGED_DATA_TIMEOUT_SECONDS: Final = 20.0
"""TCP_USER_TIMEOUT of a stream: how long the kernel keeps bytes that the client does not acknowledge."""
REPLAY_WRITE_TIMEOUT_SECONDS: Final = 20.0
"""How long a replay waits for the client to read before the stream is ended."""
STREAM_CLOSE_TIMEOUT_SECONDS: Final = 5.0
POSITION_WAIT_TIMEOUT_SECONDS: Final = 2.0
"""How long a stream waits for a position that another replica has reached and this one has not."""
POSITION_POLL_INTERVAL_SECONDS: Final = 0.025

# The event log.
EMPTY_LOG_TIMEOUT_SECONDS: Final = 0.5
"""A partition that shows no record within this time is taken for empty and gets a first one."""
LOG_LOOKUP_TIMEOUT_SECONDS: Final = 3.0
"""The same where the partition is known to have records."""
FIRST_STREAM_TIMEOUT_SECONDS: Final = 8.0
"""How long a stream waits until its partition is caught up, before the client is asked to try again. Less than the
gateway waits for a response."""
PARTITION_IDLE_SECONDS: Final = 300.0
"""How long a partition is still followed when it is no longer needed."""
CATCH_UP_TIMEOUT_SECONDS: Final = 10.0
"""Without a record for this long while catching up, the target record was trimmed from the log."""
LOG_CHUNK_SETTLE_SECONDS: Final = 0.05
SINGLE_LOG_CHECK_INTERVAL_SECONDS: Final = 60.0
MAX_CLOCK_SKEW_SECONDS: Final = 60.0
"""Between the broker's clock and this one, where the log is read from a time on."""
LOG_ACK_INTERVAL_SECONDS: Final = 0.5
"""An acknowledgement only grants the broker further deliveries; each costs both sides a message."""

# Push notifications.
PLANNER_INTERVAL_SECONDS: Final = 0.2
CURSOR_LEASE_SECONDS: Final = 4.0
"""After this time, another replica takes the partitions of one that died; it may have to catch up with them first."""
CURSOR_RENEWAL_INTERVAL_SECONDS: Final = 1.0
SEEN_FLUSH_INTERVAL_SECONDS: Final = 0.2
DELIVERY_LEASE_SECONDS: Final = 60.0
"""After this time, another replica may claim a delivery whose sender died."""
SENDER_POLL_INTERVAL_SECONDS: Final = 0.25
SENDER_STOP_TIMEOUT_SECONDS: Final = 15.0
PUSH_BACKLOG_INTERVAL_SECONDS: Final = 5.0
"""Shorter than KEDA and Prometheus look."""
FCM_CONNECT_TIMEOUT_SECONDS: Final = 3.05
FCM_READ_TIMEOUT_SECONDS: Final = 8.0
"""Between two bytes of the response."""
FCM_REQUEST_TIMEOUT_SECONDS: Final = 12.0
"""For one push with everything it needs, a new access token included."""
WEB_PUSH_CONNECT_TIMEOUT_SECONDS: Final = 3.05
WEB_PUSH_REQUEST_TIMEOUT_SECONDS: Final = 12.0
VAPID_TOKEN_LIFETIME_SECONDS: Final = 43_200
"""Push services refuse tokens that are valid for more than 24 hours (RFC 8292, 2)."""
CLOSING_DELAY_SECONDS: Final = 1.0
"""Before a shown notification is closed, so that one which is being sent meanwhile arrives first."""
DELIVERY_INITIAL_RETRY_SECONDS: Final = 2.0
DELIVERY_MAX_RETRY_SECONDS: Final = 600.0
SENDER_INITIAL_RETRY_SECONDS: Final = 0.5
"""Before a sender tries again after a failure; doubled with each one."""
SENDER_MAX_RETRY_SECONDS: Final = 5.0
PUSH_TIME_TO_LIVE_SECONDS: Final = 3600
"""How long a provider keeps a push for a device that it does not reach."""

# Mail.
MAIL_POLL_INTERVAL_SECONDS: Final = 1.0
MAIL_LEASE_SECONDS: Final = 180.0
"""After this time, another replica may claim a mail whose sender died. Longer than sending one takes."""
MAIL_INITIAL_RETRY_SECONDS: Final = 30.0
"""Before a mail is tried again; doubled with each try. Also lets servers that greylist take it."""
MAIL_MAX_RETRY_SECONDS: Final = 3600.0
MAIL_GIVE_UP_SECONDS: Final = 24 * 3600.0
"""The age at which an unsent mail is dropped. Chat keeps its address longer."""
MAIL_WAITING_INTERVAL_SECONDS: Final = 15.0
SMTP_COMMAND_TIMEOUT_SECONDS: Final = 30.0
SMTP_SEND_TIMEOUT_SECONDS: Final = 90.0
"""For one mail, from the connection to the server's acceptance."""

# Other services and tickets.
CHAT_CACHE_TTL_SECONDS: Final = 60.0
TICKET_LIFETIME_SECONDS: Final = 60
