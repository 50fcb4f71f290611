"""What other features may ask about presence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Protocol


class PresenceReader(Protocol):
    async def operators_online(self, site_id: int) -> frozenset[int]:
        """Ids of the site's online operators, from the read model."""

    async def operators_with_device(self, tenant_id: int, site_id: int) -> frozenset[int]:
        """Ids of the site's chat operators whom a push would reach; some seconds old. Empty if that is unknown."""

    async def visitor_online(self, site_id: int, session: str) -> bool:
        """Asks presence itself. Raises Unavailable."""


class OnlineOperatorRepository(Protocol):
    async def list_online(self, site_id: int) -> frozenset[int]: ...

    async def record(self, site_id: int, operator_id: int, at: datetime, *, online: bool) -> None:
        """An older record does not overwrite a newer one."""


class ReachableOperators(Protocol):
    async def __call__(self, operator_ids: Sequence[int], /) -> Collection[int] | None:
        """Those of the operators who have a device that gets pushes; None when that cannot be found out now."""


class PresenceClient(Protocol):
    """Calls an RPC method of presence. Raises Unavailable."""

    async def __call__(self, method: str, **body: Any) -> dict[str, Any] | None: ...
