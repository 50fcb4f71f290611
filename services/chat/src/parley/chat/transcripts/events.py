"""The event of a request to send a transcript. It names the request only: its address is asked for when it is sent."""

from __future__ import annotations

from parley.chat.actors import SYSTEM_ACTOR, operator_actor
from parley.chat.transcripts.model import TranscriptRequest
from parley.common.events import Event, new_event
from parley.common.events.transcripts import TranscriptRequested


def transcript_requested(request: TranscriptRequest) -> Event:
    by = request.requested_by
    return new_event(
        TranscriptRequested(request_id=request.id),
        tenant_id=request.tenant_id,
        site_id=request.site_id,
        conversation_id=request.conversation_id,
        session=request.session,
        actor=operator_actor(by) if by is not None else SYSTEM_ACTOR,
        at=request.requested_at,
    )
