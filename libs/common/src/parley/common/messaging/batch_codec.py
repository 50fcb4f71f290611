"""Several events in one message to the broker: neighbours that only the log can want.

A message costs the broker and every follower of the log more than the event in it does. Events that a queue may want
stay single, since a queue routes, retries and dead-letters each by itself; and only neighbours share a message, so that
the log's order is the order in which they were published.
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
"""Of one message. Its events are given to streams without a pause: more would look like a client that does not read."""
EVENT_COUNT_HEADER: Final = "x-parley-events"
"""The header that says how many events a message has, for who wants to know that without reading it."""
_BUNDLE: Final = "bundle"
"""Type and routing key. It is one word, so no queue's key fits it but the log's."""


def pack_events(keyed: Iterable[tuple[Event, Document]]) -> Iterator[OutgoingMessage]:
    """The messages that carry these events, in their order."""
    waiting: list[tuple[Event, bytes]] = []
    size = 0
    for event, document in keyed:
        content = orjson.dumps(document)
        single = not is_stream_only(event)
        if waiting and (single or len(waiting) == MAX_EVENTS or size + len(content) > MAX_BYTES):
            yield _message(waiting)
            waiting, size = [], 0
        if single:
            yield _message([(event, content)])
        else:
            waiting.append((event, content))
            size += len(content)
    if waiting:
        yield _message(waiting)


def unpack_events(body: bytes) -> Sequence[Any]:
    """The documents in a message's body, whatever they are. Raises orjson.JSONDecodeError."""
    content = orjson.loads(body)
    return content if isinstance(content, list) else (content,)


def _message(events: Sequence[tuple[Event, bytes]]) -> OutgoingMessage:
    first, content = events[0]
    together = len(events) > 1
    return OutgoingMessage(
        _BUNDLE if together else routing_key(first),
        b"[%b]" % b",".join(one for _, one in events) if together else content,
        Basic.Properties(
            content_type="application/json",
            delivery_mode=DeliveryMode.PERSISTENT.value,
            message_id=first.id,
            message_type=_BUNDLE if together else first.type,
            headers={EVENT_COUNT_HEADER: len(events)} if together else None,
        ),
    )
