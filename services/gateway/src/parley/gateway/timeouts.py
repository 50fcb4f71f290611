"""Every timeout, expiry and interval of the gateway, in seconds."""

from __future__ import annotations

# Clients.
REQUEST_HEAD_TIMEOUT_SECONDS = 10.0
"""From the first byte of a request (or the start of a connection) to the end of its head."""
JSON_BODY_TIMEOUT_SECONDS = 10.0
"""Also for the form fields that precede the file of an upload."""
UPLOAD_BODY_TIMEOUT_SECONDS = 60.0
MAX_FILE_BODY_SECONDS = 900.0
"""For a file, which may be large; a client that sends too slowly is disconnected before."""
CLIENT_READ_TIMEOUT_SECONDS = 20.0
"""For a client that reads nothing of what waits for it."""
CLIENT_READ_CHECK_SECONDS = 2.0
STALLED_CLIENT_SECONDS = 2.0
"""After which what waits for a client counts for its address."""
CONNECTION_RETRY_AFTER_SECONDS = 5
CLOCK_SKEW_SECONDS = 30.0
"""By which the clocks of an identity provider or another replica may differ."""
KEEPALIVE_SECONDS = 75.0
"""Idle connections of clients; longer than the idle time of common load balancers (60 s)."""
PREFLIGHT_MAX_AGE_SECONDS = 600
STREAM_RETRY_AFTER_SECONDS = 10
MAX_STREAM_DRAIN_SECONDS = 5.0
"""Event streams are closed at random times within this period when the gateway stops."""

# Services.
CONNECT_TIMEOUT_SECONDS = 3.0
"""To the last remaining replica."""
CONNECT_RETRY_SECONDS = 1.0
"""To a replica after which another one is tried."""
LOOKUP_INTERVAL_SECONDS = 2.0
"""Between two lookups of a service's replicas; the next one follows a failed request immediately."""
MIN_LOOKUP_INTERVAL_SECONDS = 0.2
LOOKUP_TIMEOUT_SECONDS = 3.0
PROBE_INTERVAL_SECONDS = 0.5
"""Between two attempts to reach a replica that could not be reached."""
PROBE_TIMEOUT_SECONDS = 1.0
RESPONSE_TIMEOUT_SECONDS = 15.0
"""For the head of a JSON response, and again for its body."""
AI_RESPONSE_TIMEOUT_SECONDS = 50.0
"""For the head of a JSON response that an AI writes."""
FIRST_BYTE_TIMEOUT_SECONDS = 10.0
"""For the head of a streamed response."""
UPLOAD_TIMEOUT_SECONDS = 75.0
"""For a whole upload and its response."""
FILE_UPLOAD_TIMEOUT_SECONDS = MAX_FILE_BODY_SECONDS + 45.0
IDLE_CONNECTION_SECONDS = 30.0
"""Less than the keep-alive of the services, so that a connection is not reused while the service closes it."""
MAX_CONNECTION_AGE_SECONDS = 90.0
"""On average. A load balancer may stand in front of replicas: new connections reach those that were added."""

# The other gateways.
USAGE_INTERVAL_SECONDS = 0.02
"""Between two messages about what was taken from rate limits."""

# The internal API of the services.
INTERNAL_API_TIMEOUT_SECONDS = 5.0
PASSWORD_TIMEOUT_SECONDS = 15.0
"""For requests that verify a password: its hash is slow by design."""
READINESS_TIMEOUT_SECONDS = 2.0

# The keys of an external identity provider.
JWKS_TIMEOUT_SECONDS = 5.0
JWKS_REFRESH_SECONDS = 600.0
JWKS_RETRY_DELAY_SECONDS = 10.0

# Caches.
CACHE_TTL_SECONDS = 30.0
SESSION_STATE_CACHE_TTL_SECONDS = 300.0
"""Whether a visitor's session has ended: an event says so."""
NEGATIVE_CACHE_TTL_SECONDS = 5.0
"""For credentials, site keys and origins that do not exist."""
IDENTITY_REUSE_SECONDS = 20.0
"""A third of the lifetime of a signed identity."""
HEALTH_CACHE_SECONDS = 0.5
OPENAPI_CACHE_SECONDS = 60.0

# The access log and the commands.
ACCESS_LOG_FLUSH_INTERVAL_SECONDS = 0.2
COMMAND_TIMEOUT_SECONDS = 5.0
