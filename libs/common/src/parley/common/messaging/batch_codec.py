"""Packs neighbouring events into one broker message, if only the event log receives them.

A message costs the broker and every consumer of the log more than the event in it does. An event that a queue may
receive stays single, since a queue routes, retries and dead-letters each message by itself. Only neighbours share a
message, so that the log keeps the order of publication.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import orjson
from aio_pika.abc import DeliveryMode
from pamqp.commands import Basic

from parley.common.events import Event, is_stream_only, routing_key
from parley.common.messaging.publisher import OutgoingMessage

Document = dict[str, Any]

MAX_EVENTS: Final = 64
MAX_BYTES: Final = 65_536
"""Per message. A message's events are written to event streams in one go: more would make clients look slow."""
EVENT_COUNT_HEADER: Final = "x-parley-events"
"""The number of events in a message, for readers that do not parse it."""
_BATCH_TYPE: Final = "bundle"
"""Type and routing key of a message with several events. A single word, so that only the log's binding matches it."""


def pack_events(events: Iterable[tuple[Event, Document]]) -> Iterator[OutgoingMessage]:
    """Yield the messages that carry these events, in their order."""
    batch: list[tuple[Event, bytes]] = []
    batch_bytes = 0
    for event, document in events:
        content = orjson.dumps(document)
        single = not is_stream_only(event)
        if batch and (single or len(batch) == MAX_EVENTS or batch_bytes + len(content) > MAX_BYTES):
            yield _to_message(batch)
            batch, batch_bytes = [], 0
        if single:
            yield _to_message([(event, content)])
        else:
            batch.append((event, content))
            batch_bytes += len(content)
    if batch:
        yield _to_message(batch)


def unpack_events(body: bytes) -> Sequence[Any]:
    """Return the documents in a message's body, unchecked. Raises orjson.JSONDecodeError."""
    content = orjson.loads(body)
    return content if isinstance(content, list) else (content,)


def _to_message(events: Sequence[tuple[Event, bytes]]) -> OutgoingMessage:
    first, content = events[0]
    several = len(events) > 1
    return OutgoingMessage(
        _BATCH_TYPE if several else routing_key(first),
        b"[%b]" % b",".join(one for _, one in events) if several else content,
        Basic.Properties(
            content_type="application/json",
            delivery_mode=DeliveryMode.PERSISTENT.value,
            message_id=first.id,
            message_type=_BATCH_TYPE if several else first.type,
            headers={EVENT_COUNT_HEADER: len(events)} if several else None,
        ),
    )
