"""Who did what, when, and from where: one entry for each change, for the tenant's administrators to read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from parley.common.auth.identity import Caller, GatewayCaller, OperatorCaller, Permission, VisitorCaller
from parley.common.errors import Forbidden
from parley.common.events import Event
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody who acts without a caller of their own: who logs in, or the system itself (`operator_id` None)."""

    tenant_id: int
    operator_id: int | None = None
    name: str = "system"
    address: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit log. `target` is a kind and an id, as in `site:7`.

    `details` never holds a password, a token or a visitor's words.
    """

    id: int
    tenant_id: int
    at: datetime
    operator_id: int | None
    operator_name: str
    action: str
    target: str
    site_id: int | None
    address: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What a change tells others, written with it: its event to the services, its entry to the audit log."""

    event: Event
    entry: Entry


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to show; None where it does not matter. `until` itself is not included."""

    site_id: int | None = None
    operator_id: int | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditStore(Protocol):
    """Where entries are kept."""

    async def add(self, entry: Entry) -> None:
        """Keep an entry."""

    async def page(
        self, tenant_id: int, wanted: AuditFilter, after: tuple[datetime, int] | None, limit: int
    ) -> list[Entry]:
        """Entries, the newest first, that come after a position."""


class Audit:
    """Writes the audit log and reads it."""

    def __init__(self, store: AuditStore, next_id: Callable[[], Awaitable[int]], clock: Clock) -> None:
        self._store = store
        self._next_id = next_id
        self._clock = clock

    async def entry(
        self,
        caller: Caller | Source,
        action: str,
        target: str,
        site_id: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Entry:
        """An entry that is not kept yet: for the outbox of the change it tells of, so that both are one write."""
        if isinstance(caller, GatewayCaller):
            raise TypeError("the gateway acts for somebody: the entry needs a Source that says for whom")
        operator_id, name = _who(caller)
        return Entry(
            id=await self._next_id(),
            tenant_id=caller.tenant_id,
            at=self._clock(),
            operator_id=operator_id,
            operator_name=name,
            action=action,
            target=target,
            site_id=site_id,
            address=caller.address,
            details=details or {},
        )

    async def record(
        self,
        caller: Caller | Source,
        action: str,
        target: str,
        site_id: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep an entry now: for changes that have no outbox."""
        await self._store.add(await self.entry(caller, action, target, site_id, details))

    async def page(
        self, caller: OperatorCaller, wanted: AuditFilter, after: tuple[datetime, int] | None, limit: int
    ) -> list[Entry]:
        """Entries behind a position, one more than `limit` where there are more. Raises Forbidden."""
        if not caller.owner:
            if wanted.site_id is None:
                raise Forbidden("Only an owner sees the whole log; name a site that you manage.")
            caller.needing(Permission.MANAGE).authorize(caller.tenant_id, wanted.site_id)
        return await self._store.page(caller.tenant_id, wanted, after, limit + 1)


def _who(caller: OperatorCaller | VisitorCaller | Source) -> tuple[int | None, str]:
    match caller:
        case OperatorCaller() | Source():
            return caller.operator_id, caller.name
        case VisitorCaller():
            return None, "visitor"
