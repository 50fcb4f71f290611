"""Events that change who may do what: caches of access or of a site invalidate their entries on these."""

from __future__ import annotations

from parley.common.events.registry import Audience, EventData


class OperatorAccessChanged(EventData, type="operator.access_changed", audience=Audience.SERVICES):
    """An operator's sites, permissions, status or sessions changed; cached access is stale.

    Whatever belongs to a login session (push tokens, stream tickets) ends with it: with `session_id` that session ended
    (logout, a copied refresh token); with `sessions_ended` all of the operator's ended, except `kept_session_id`
    (password change, removal). A session that expires is not announced: it was not refreshed for 30 days.
    """

    operator_id: int
    session_id: str | None = None
    """The session that ended; None if all of the operator's access is stale."""
    sessions_ended: bool = False
    """All login sessions of the operator ended, except `kept_session_id`."""
    kept_session_id: str | None = None
    version: int = 0
    """The operator's access version after the change."""
    suspended: bool = False


class VisitorSessionEnded(EventData, type="visitor.session_ended", audience=Audience.SERVICES):
    """A visitor's session id is not accepted any more: it was ended, or what it wrote belongs to a person now."""

    fingerprint: str
    """Of the session id; for an unidentified visitor, the session handle."""


class TeamChanged(EventData, type="team.changed", audience=Audience.SERVICES):
    """A team, which conversations are routed to, was created, changed or deleted."""

    team_id: int
    site_ids: tuple[int, ...] = ()
    """Its sites after the change."""
    deleted: bool = False


class SiteChanged(EventData, type="site.changed", audience=Audience.SERVICES):
    """A site was created, changed or deleted."""

    deleted: bool = False
    revoked_identity_secret_id: int | None = None
    """The sessions of people who were identified by this secret have ended."""
