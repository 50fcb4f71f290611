"""Audit entries, who they name, and the filter of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from parley.chat.actors import SYSTEM_ACTOR, operator_actor
from parley.common.events import Actor, Event
from parley.common.events.schemas import OperatorRef


@dataclass(frozen=True, slots=True)
class AuditActor:
    """Who made a change that has no caller: an operator who logs in, or the system (`operator_id` is None)."""

    tenant_id: int
    operator_id: int | None = None
    name: str = "system"
    client_ip: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log. `target` is a kind and an id, for example `site:7`.

    `details` must never hold a password, a token or the text of a visitor.
    """

    id: int
    tenant_id: int
    at: datetime
    operator_id: int | None
    operator_name: str
    action: str
    target: str
    site_id: int | None
    client_ip: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def event_actor(self) -> Actor:
        """The actor of the event that is published with this entry: the operator, or the system."""
        if self.operator_id is None:
            return SYSTEM_ACTOR
        return operator_actor(OperatorRef(id=self.operator_id, name=self.operator_name))


@dataclass(frozen=True, slots=True)
class AuditedEvent:
    """The event of a change and its audit entry, both stored in the same write as the change."""

    event: Event
    entry: AuditEntry


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to list; None matches every value. `until` is exclusive."""

    site_id: int | None = None
    operator_id: int | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
