"""Events that change who may do what: caches of access or of a site invalidate their entries on these."""

from __future__ import annotations

from parley.common.events.registry import Audience, EventData


class OperatorAccessChanged(EventData, type="operator.access_changed", audience=Audience.SERVICES):
    """An operator's sites, permissions, status or sessions changed; cached access is stale."""

    operator_id: int
    session_id: str | None = None
    """The session that ended; None if all of the operator's access is stale."""
    version: int = 0
    """The operator's access version after the change."""
    suspended: bool = False


class SiteChanged(EventData, type="site.changed", audience=Audience.SERVICES):
    """A site was created, changed or deleted."""

    deleted: bool = False
