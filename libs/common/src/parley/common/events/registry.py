"""How an event type is defined, and the table of all that are.

Each data class names its type and who may see it. Fields that a visitor must not see are simply not in the
class's `visitor_fields`; a type whose audience is not visitors never reaches one.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Audience(Enum):
    """Who an event is for, beside the services."""

    SERVICES = "services"
    OPERATORS = "operators"
    EVERYONE = "everyone"
    """The operators of the site and the one visitor it concerns."""


class Undefined(ValueError):
    """An event type that the catalogue does not know."""


CATALOGUE: dict[str, type[EventData]] = {}


class EventData(BaseModel):
    """Base of every event's data. Subclass with `type=` and `audience=` to enter it in the catalogue."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    audience: ClassVar[Audience]
    visitor_fields: ClassVar[frozenset[str] | None] = None
    """Fields a visitor sees; None where the audience has no visitors."""
    ephemeral: ClassVar[bool] = False
    """Not in the log: seen by whoever is connected now, or by nobody."""
    log_alone: ClassVar[bool] = False
    """In the log, and in queues that name its hint: none gets those without one. Such events share messages."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        kind: str | None = options.get("type")
        if kind is None:
            return
        if kind in CATALOGUE:
            raise TypeError(f"two classes define {kind}")
        cls.type = kind
        cls.audience = options["audience"]
        cls.ephemeral = options.get("ephemeral", False)
        cls.log_alone = options.get("log_alone", False)
        fields = options.get("visitor_fields")
        cls.visitor_fields = frozenset(fields) if fields is not None else None
        if (cls.audience is Audience.EVERYONE) != (cls.visitor_fields is not None):
            raise TypeError(f"{kind}: visitor_fields are for events that visitors see, and only those")
        CATALOGUE[kind] = cls

    def __init_subclass__(cls, **options: Any) -> None:
        """Takes the class options that `__pydantic_init_subclass__` reads."""
        super().__init_subclass__()


def data_class(kind: str) -> type[EventData]:
    """The class that defines a type. Raises Undefined."""
    try:
        return CATALOGUE[kind]
    except KeyError:
        raise Undefined(f"the catalogue has no event {kind!r}") from None
