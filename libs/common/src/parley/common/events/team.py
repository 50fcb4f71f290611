"""Facts that decide who may do what: whoever caches access or a site drops it at once on these."""

from __future__ import annotations

from parley.common.events.registry import Audience, EventData


class OperatorAccessChanged(EventData, type="operator.access_changed", audience=Audience.SERVICES):
    """An operator's sites, permissions, status or sessions changed; what was cached of them no longer holds."""

    operator_id: int
    session_id: str | None = None
    """The one session that ended; None where everything of the operator's is meant."""
    version: int = 0
    """The operator's access version from now on."""
    suspended: bool = False


class SiteChanged(EventData, type="site.changed", audience=Audience.SERVICES):
    """A site was created, changed or deleted."""

    deleted: bool = False
