"""What a site's server proves about its visitors, and the secrets by which it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from parley.common.events.schemas import AttributeValue

MAX_SECRETS_PER_SITE = 5
"""Two are enough to replace one without a gap."""


@dataclass(frozen=True, slots=True)
class IdentitySecret:
    """A secret that a site's server signs tokens with, encrypted. `last_used_at` is precise to the hour."""

    id: int
    name: str
    encrypted: str = field(repr=False)
    created_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session id that is not accepted any more, named by its fingerprint."""

    tenant_id: int
    site_id: int
    fingerprint: str
    ended_at: datetime
    expires_at: datetime | None
    """From when on it need not be remembered; None for a session id that does not expire."""
    person: str | None = None
    """The session handle of the person to whom belongs what it wrote; None if the visitor has ended it."""

    @property
    def key(self) -> str:
        """Unique over all sites."""
        return f"{self.site_id}:{self.fingerprint}"


@dataclass(frozen=True, slots=True)
class ProvedIdentity:
    """What a token proves. Fields that it does not have are None."""

    external_id: str
    secret_id: int
    """Of the secret that signed it."""
    contact: Mapping[str, str]
    """Name, email and phone: those that the token has."""
    attributes: Mapping[str, AttributeValue] | None = None
