"""Events about transcripts."""

from __future__ import annotations

from parley.common.events.registry import Audience, EventData


class TranscriptRequested(EventData, type="transcript.requested", audience=Audience.SERVICES):
    """A transcript is to be sent by e-mail. What is sent, and to whom, is asked for when it is sent."""

    request_id: str
