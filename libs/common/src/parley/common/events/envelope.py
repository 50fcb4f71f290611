"""The envelope around every event's data: creating, parsing and routing events, and redacting them for a visitor."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from parley.common.events import (  # noqa: F401 - fill the registry
    conversations,
    messages,
    presence,
    team,
    transcripts,
    translation,
)
from parley.common.events.registry import Audience, EventData, UnknownEvent, event_class
from parley.common.observability.logging import current_trace
from parley.common.runtime.clock import to_rfc3339, utc_now

DataT = TypeVar("DataT", bound=EventData)


class Actor(BaseModel):
    """Who caused an event."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: Literal["operator", "visitor", "ai", "system"]
    id: int | None = None
    name: str | None = None


SYSTEM = Actor(kind="system")


class Event(BaseModel):
    """One fact. `session` is the session handle of the visitor it concerns, or None."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)

    id: str
    type: str
    tenant_id: int
    site_id: int = Field(description="0 for a fact about the whole tenant.")
    conversation_id: int | None = None
    session: str | None = None
    occurred_at: datetime
    actor: Actor = SYSTEM
    request_id: str
    traceparent: str
    data: dict[str, Any]
    routing_tag: str | None = Field(
        None,
        alias="hint",
        pattern=r"^[a-z]+(\.[a-z]+)*$",
        description="Ends the routing key, for queues that want only some events of a type.",
    )

    def to_document(self) -> dict[str, Any]:
        """Return the event as plain values, as it is published and stored in an outbox."""
        # All other values are plain already, and pydantic takes ten times as long.
        document = dict(vars(self))
        document["occurred_at"] = to_rfc3339(self.occurred_at)
        document["actor"] = dict(vars(self.actor))
        document["hint"] = document.pop("routing_tag")
        return document

    def parse_data(self, data_class: builtins.type[DataT]) -> DataT:
        """Return the data as an instance of its class. Raises UnknownEvent if it does not match the class."""
        try:
            return data_class.model_validate(self.data)
        except ValidationError as exc:
            raise UnknownEvent(f"the data of {self.type} does not match its definition") from exc


def new_event(
    data: EventData,
    *,
    tenant_id: int,
    site_id: int,
    conversation_id: int | None = None,
    session: str | None = None,
    actor: Actor = SYSTEM,
    at: datetime | None = None,
    routing_tag: str | None = None,
) -> Event:
    """Make an event that happened now (or `at`), with the trace of the running task."""
    trace = current_trace()
    return Event(
        id=uuid.uuid4().hex,
        type=data.type,
        tenant_id=tenant_id,
        site_id=site_id,
        conversation_id=conversation_id,
        session=session,
        occurred_at=at or utc_now(),
        actor=actor,
        request_id=trace.request_id,
        traceparent=trace.traceparent,
        data=data.model_dump(mode="json"),
        routing_tag=routing_tag,
    )


def parse_event(document: dict[str, Any]) -> Event:
    """Parse a received event and check it against the registry. Raises UnknownEvent."""
    try:
        event = Event.model_validate(document)
    except ValidationError as exc:
        raise UnknownEvent("the envelope does not match its definition") from exc
    event.parse_data(event_class(event.type))
    return event


def routing_key(event: Event) -> str:
    """Build `site.<site_id>.<type>`, or `tenant.<tenant_id>.<type>` for a whole tenant; then the tag, if any.

    Ephemeral events are published with this key. Of other events, `log_partitions.partitioned_routing_key` replaces the
    first word before they are published.
    """
    scope = f"site.{event.site_id}" if event.site_id else f"tenant.{event.tenant_id}"
    return f"{scope}.{event.type}.{event.routing_tag}" if event.routing_tag else f"{scope}.{event.type}"


def is_stream_only(event: Event) -> bool:
    """Whether no queue can be bound to receive it."""
    return event.routing_tag is None and event_class(event.type).stream_only


def is_visible_to_visitor(event: Event) -> bool:
    """Whether the visitor it concerns may see it, or a part of it."""
    return event_class(event.type).audience is Audience.OPERATORS_AND_VISITOR


def redact_for_visitor(event_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the fields of an event's data that its visitor may see. Raises UnknownEvent for a type not for visitors."""
    fields = event_class(event_type).visitor_fields
    if fields is None:
        raise UnknownEvent(f"{event_type} is not for visitors")
    return {name: value for name, value in data.items() if name in fields}
