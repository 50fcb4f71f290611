"""Packs neighbouring events into one broker message, if only the event log receives them.

A message costs the broker and every consumer of the log more than the event in it does. An event that a queue may
receive stays single, since a queue routes, retries and dead-letters each message by itself. Only neighbours in their
partition of the log share a message, so that each partition keeps the order of publication.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aio_pika.abc import DeliveryMode
from pamqp.commands import Basic

from parley.common.events import Event, is_stream_only, routing_key
from parley.common.log_partitions import get_partition, partitioned_routing_key
from parley.common.messaging.publisher import OutgoingMessage

Document = dict[str, Any]

MAX_EVENTS: Final = 64
MAX_BYTES: Final = 65_536
"""Per message. A message's events are written to event streams in one go: more would make clients look slow."""
EVENT_COUNT_HEADER: Final = "x-parley-events"
"""The number of events in a message, for readers that do not parse it."""
_BATCH_TYPE: Final = "bundle"
"""Type and last word of the routing key of a message with several events. Only the log is bound to receive it."""


def pack_events(events: Iterable[tuple[Event, Document]], partitions: int) -> Iterator[OutgoingMessage]:
    """Yield the messages that carry these events; those of each partition of the log in their order."""
    batches: dict[int, _Batch] = {}
    for event, document in events:
        content = orjson.dumps(document)
        partition = get_partition(event.tenant_id, partitions)
        batch = batches.get(partition)
        single = not is_stream_only(event)
        if batch is not None and (single or not batch.has_room(content)):
            yield batches.pop(partition).to_message()
            batch = None
        if single:
            yield _Batch(partition, [(event, content)]).to_message()
        elif batch is None:
            batches[partition] = _Batch(partition, [(event, content)], len(content))
        else:
            batch.add(event, content)
    for batch in batches.values():
        yield batch.to_message()


def unpack_events(body: bytes) -> Sequence[Any]:
    """Return the documents in a message's body, unchecked. Raises orjson.JSONDecodeError."""
    content = orjson.loads(body)
    return content if isinstance(content, list) else (content,)


@dataclass(slots=True)
class _Batch:
    """Events that share a message to one partition."""

    partition: int
    events: list[tuple[Event, bytes]]
    size_bytes: int = 0

    def has_room(self, content: bytes) -> bool:
        return len(self.events) < MAX_EVENTS and self.size_bytes + len(content) <= MAX_BYTES

    def add(self, event: Event, content: bytes) -> None:
        self.events.append((event, content))
        self.size_bytes += len(content)

    def to_message(self) -> OutgoingMessage:
        first, content = self.events[0]
        several = len(self.events) > 1
        return OutgoingMessage(
            partitioned_routing_key(_BATCH_TYPE if several else routing_key(first), self.partition),
            b"[%b]" % b",".join(one for _, one in self.events) if several else content,
            Basic.Properties(
                content_type="application/json",
                delivery_mode=DeliveryMode.PERSISTENT.value,
                message_id=first.id,
                message_type=_BATCH_TYPE if several else first.type,
                headers={EVENT_COUNT_HEADER: len(self.events)} if several else None,
            ),
        )
