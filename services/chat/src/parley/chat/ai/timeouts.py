"""Default timeouts and intervals of the AI, in seconds.

The idle timeout is also a setting of the installation (`settings.py`) and of each site (`sites/chatbot.py`).
"""

from __future__ import annotations

ENGINE_IDLE_TIMEOUT_SECONDS = 20.0
"""Default for an engine to start answering, and between two chunks. The installation and a site may set their own."""

REPLY_TIMEOUT_SECONDS: float = 60
"""For a whole reply, from the engine's first request to its last chunk; also the upper limit of the idle timeout."""

COPILOT_TIMEOUT_SECONDS: float = 45
"""For a whole text of the copilot: less than the gateway waits for the response."""

CHECK_TIMEOUT_SECONDS: float = 44
"""For a whole check of an endpoint: less than the gateway waits for the response."""

CHECK_LIST_TIMEOUT_SECONDS: float = 8
"""For an endpoint's list of models."""

CHECK_REPLY_TIMEOUT_SECONDS: float = 24
"""The most that a check waits for a reply to begin; the site may wait longer."""

CHECK_FEATURE_TIMEOUT_SECONDS: float = 10
"""For each of the other requests of a check, which run together."""

CHECK_INTERVAL_SECONDS: float = 10
"""From a check of a site's endpoints to the next one."""

TRIAL_SECONDS: float = 60
"""How long one reply has for the trial of an engine that failed before."""

OTHER_REPLICA_TIMEOUT_SECONDS = REPLY_TIMEOUT_SECONDS
"""How long a repeated message waits for the reply that another replica is generating."""

OTHER_REPLICA_POLL_SECONDS = 0.25
"""How often it looks whether that reply is there."""

REPLY_LEASE_SECONDS = 20.0
"""A reply lease expires this long after its last renewal; another replica then resumes the reply."""

LEASE_RENEWAL_SECONDS = 5.0
"""How often the replica that generates a reply renews its lease."""

EXPIRED_LEASE_CHECK_SECONDS = 2.0
"""How often each replica looks for replies whose lease has ended."""

FLUSH_INTERVAL_SECONDS = 0.04
"""Chunks that an engine yields faster than this are sent together."""

QUESTION_TIMEOUT_SECONDS: float = 4
"""How long an image without a text waits for the visitor's question about it, which then gets the only reply."""

STREAM_COMMENT_SECONDS: float = 8
"""A reply's stream carries a comment when it has been silent for so long."""
