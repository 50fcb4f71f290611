"""The event catalogue: the one place that says which facts travel between services, and with which fields.

A publisher makes events with `new_event`, from a data class of the catalogue; a consumer reads them with
`read_event`. What the catalogue does not define can neither be sent nor received.
"""

from parley.common.events.envelope import (
    Actor,
    Event,
    for_the_log_alone,
    for_visitors,
    new_event,
    read_event,
    routing_key,
    visitor_view,
)
from parley.common.events.registry import CATALOGUE, Audience, EventData, Undefined, data_class

__all__ = [
    "CATALOGUE",
    "Actor",
    "Audience",
    "Event",
    "EventData",
    "Undefined",
    "data_class",
    "for_the_log_alone",
    "for_visitors",
    "new_event",
    "read_event",
    "routing_key",
    "visitor_view",
]
