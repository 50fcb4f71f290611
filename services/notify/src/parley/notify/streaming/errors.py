"""Why a stream is refused."""

from __future__ import annotations

from parley.common.errors import TooManyRequests, Unavailable


class TooManyStreams(TooManyRequests):
    code = "too_many_streams"
    default_message = "There are too many open streams. Close one, or wait a little."


class AccessOutdated(Unavailable):
    """The caller's identity is older than the latest change of their access."""

    code = "access_outdated"
    default_message = "Your permissions have just changed. Please try again."


class Draining(Unavailable):
    code = "draining"
    default_message = "This server is about to stop. Please connect again."
