"""What every event carries around its data, and how it is read, routed and shown to a visitor."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from parley.common.events import conversations, messages, presence, team, translation  # noqa: F401 - fill the table
from parley.common.events.registry import Audience, EventData, Undefined, data_class
from parley.common.observability.logging import current_trace
from parley.common.runtime.clock import rfc3339, utc_now

DataT = TypeVar("DataT", bound=EventData)


class Actor(BaseModel):
    """Who caused an event."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["operator", "visitor", "ai", "system"]
    id: int | None = None
    name: str | None = None


SYSTEM = Actor(kind="system")


class Event(BaseModel):
    """One fact. `session` is the public handle of the visitor it concerns, where it concerns one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    type: str
    tenant_id: int
    site_id: int = Field(description="0 where a fact concerns the whole tenant.")
    conversation_id: int | None = None
    session: str | None = None
    occurred_at: datetime
    actor: Actor = SYSTEM
    request_id: str
    traceparent: str
    data: dict[str, Any]
    hint: str | None = Field(
        None,
        pattern=r"^[a-z]+(\.[a-z]+)*$",
        description="Ends the routing key, for queues that want only some events of a type.",
    )

    def to_document(self) -> dict[str, Any]:
        """Plain values, as they travel and as an outbox keeps them."""
        return self.model_dump(mode="json", exclude={"occurred_at"}) | {"occurred_at": rfc3339(self.occurred_at)}

    def read(self, kind: builtins.type[DataT]) -> DataT:
        """The data as its class. Raises Undefined where it does not fit."""
        try:
            return kind.model_validate(self.data)
        except ValidationError as exc:
            raise Undefined(f"{self.type} does not fit its definition") from exc


def new_event(
    data: EventData,
    *,
    tenant_id: int,
    site_id: int,
    conversation_id: int | None = None,
    session: str | None = None,
    actor: Actor = SYSTEM,
    at: datetime | None = None,
    hint: str | None = None,
) -> Event:
    """A fact that has just happened, carrying the trace of the task that caused it."""
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
        hint=hint,
    )


def read_event(document: dict[str, Any]) -> Event:
    """An event as it came, held against the catalogue. Raises Undefined."""
    try:
        event = Event.model_validate(document)
    except ValidationError as exc:
        raise Undefined("the envelope does not fit its definition") from exc
    event.read(data_class(event.type))
    return event


def routing_key(event: Event) -> str:
    """`site.<site_id>.<type>`, or `tenant.<tenant_id>.<type>` where no one site is meant; then the hint, if any."""
    scope = f"site.{event.site_id}" if event.site_id else f"tenant.{event.tenant_id}"
    return f"{scope}.{event.type}.{event.hint}" if event.hint else f"{scope}.{event.type}"


def for_the_log_alone(event: Event) -> bool:
    """Whether no queue can want it."""
    return event.hint is None and data_class(event.type).log_alone


def for_visitors(event: Event) -> bool:
    """Whether the visitor whom it concerns may see it, or a part of it."""
    return data_class(event.type).audience is Audience.EVERYONE


def visitor_view(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """An event's data as its visitor may see it. Raises Undefined for a type that is not for visitors."""
    fields = data_class(kind).visitor_fields
    if fields is None:
        raise Undefined(f"{kind} is not for visitors")
    return {name: value for name, value in data.items() if name in fields}
