"""The event registry: which facts travel between services, and with which fields.

A publisher makes events with `new_event` from a data class of the registry; a consumer reads them with `parse_event`.
An event that the registry does not define can neither be sent nor received.
"""

from parley.common.events.envelope import (
    Actor,
    Event,
    is_stream_only,
    is_visible_to_visitor,
    new_event,
    parse_event,
    redact_for_visitor,
    routing_key,
)
from parley.common.events.registry import REGISTRY, Audience, EventData, UnknownEvent, event_class

__all__ = [
    "REGISTRY",
    "Actor",
    "Audience",
    "Event",
    "EventData",
    "UnknownEvent",
    "event_class",
    "is_stream_only",
    "is_visible_to_visitor",
    "new_event",
    "parse_event",
    "redact_for_visitor",
    "routing_key",
]
