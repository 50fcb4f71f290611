"""How an event type is defined, and the registry of all types.

Each data class names its type and its audience. A visitor sees only the fields in the class's `visitor_fields`, and
never a type whose audience has no visitors.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Audience(Enum):
    """Who may see an event, apart from the services."""

    SERVICES = "services"
    OPERATORS = "operators"
    OPERATORS_AND_VISITOR = "everyone"
    """The operators of the site, and the one visitor it concerns."""


class UnknownEvent(ValueError):
    """An event that the registry does not define: an unknown type, or fields that do not match."""


REGISTRY: dict[str, type[EventData]] = {}


class EventData(BaseModel):
    """Base of every event's data. Subclass with `type=` and `audience=` to register it."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    type: ClassVar[str]
    audience: ClassVar[Audience]
    visitor_fields: ClassVar[frozenset[str] | None] = None
    """Fields that a visitor sees; None if the audience has no visitors."""
    ephemeral: ClassVar[bool] = False
    """Not in the event log: delivered to current subscribers only."""
    stream_only: ClassVar[bool] = False
    """Written to the event log; delivered to a queue only if the event has a routing tag that the queue is bound to.
    Such events share broker messages."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        event_type: str | None = options.get("type")
        if event_type is None:
            return
        if event_type in REGISTRY:
            raise TypeError(f"two classes define {event_type}")
        cls.type = event_type
        cls.audience = options["audience"]
        cls.ephemeral = options.get("ephemeral", False)
        cls.stream_only = options.get("stream_only", False)
        fields = options.get("visitor_fields")
        cls.visitor_fields = frozenset(fields) if fields is not None else None
        if (cls.audience is Audience.OPERATORS_AND_VISITOR) != (cls.visitor_fields is not None):
            raise TypeError(f"{event_type}: visitor_fields are for events that visitors see, and only those")
        REGISTRY[event_type] = cls

    def __init_subclass__(cls, **options: Any) -> None:
        """Accept the class options that `__pydantic_init_subclass__` reads."""
        super().__init_subclass__()


def event_class(event_type: str) -> type[EventData]:
    """Return the class that defines a type. Raises UnknownEvent."""
    try:
        return REGISTRY[event_type]
    except KeyError:
        raise UnknownEvent(f"the registry has no event {event_type!r}") from None
