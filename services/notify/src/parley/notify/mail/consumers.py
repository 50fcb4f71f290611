"""The queue of requests to send a transcript."""

from __future__ import annotations

from parley.common.events import Event
from parley.common.events.transcripts import TranscriptRequested
from parley.common.messaging import Consumer
from parley.common.messaging.consumer import PoisonMessage
from parley.common.observability.logging import current_trace
from parley.notify.mail.model import MailDelivery
from parley.notify.mail.ports import MailDeliveryRepository


def mail_consumer(deliveries: MailDeliveryRepository) -> Consumer:
    """Store a delivery for each request. Also where mail is off here: it is sent if it is turned on in time."""

    async def on_transcript_requested(event: Event) -> None:
        if event.conversation_id is None:
            raise PoisonMessage("transcript.requested names no conversation")
        await deliveries.add(
            MailDelivery(
                id=event.parse_data(TranscriptRequested).request_id,
                tenant_id=event.tenant_id,
                site_id=event.site_id,
                conversation_id=event.conversation_id,
                requested_at=event.occurred_at,
                trace=current_trace(),
            )
        )

    return Consumer("notify", "mails", {"transcript.requested": on_transcript_requested})
