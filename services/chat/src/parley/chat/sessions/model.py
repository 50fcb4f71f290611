"""Sessions, and the result of a login."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from parley.chat.accounts.access import OperatorAccess
from parley.chat.accounts.model import Operator

REUSE_WINDOW = timedelta(seconds=30)
"""How long a replaced refresh token still gets the answer it got first: for tabs that refresh at the same moment, and
for a client whose answer was lost. Longer than a client waits for an answer."""

MAX_REPLACED_TOKENS = 20
"""Replaced tokens that are kept. A session refreshed more often within the window loses the oldest."""


@dataclass(frozen=True, slots=True)
class ReplacedToken:
    """The hash of a refresh token's second part, and when the token was replaced by its successor."""

    rotation_hash: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One login and the refresh tokens that descend from it. Only hashes of the tokens are stored."""

    id: str
    operator_id: int
    tenant_id: int
    family_hash: str = field(repr=False)
    rotation_hash: str = field(repr=False)
    password_version: int
    created_at: datetime
    last_seen: datetime
    expires_at: datetime
    client_ip: str
    rotation_key: str | None = field(default=None, repr=False)
    """Derives each refresh token from the one before it; None until the first refresh under this version."""
    replaced: tuple[ReplacedToken, ...] = ()
    """The latest replaced tokens, oldest first."""
    ended_at: datetime | None = None

    def is_valid_for(self, operator: Operator, now: datetime) -> bool:
        """Whether the session is the operator's, has neither ended nor expired, and survived password changes."""
        password_unchanged = self.password_version == operator.password_version
        return (
            self.operator_id == operator.id
            and self.ended_at is None
            and self.expires_at > now
            and (password_unchanged or self.id == operator.retained_session_id)
        )

    def may_reuse(self, rotation_hash: str, now: datetime) -> bool:
        """Whether a token was replaced so recently that it gets its successor once more."""
        return any(token.rotation_hash == rotation_hash and now - token.at < REUSE_WINDOW for token in self.replaced)

    def with_replaced(self, rotation_hash: str, at: datetime) -> Session:
        """The session after its current token was replaced by the one with this hash."""
        replaced = (*self.replaced, ReplacedToken(self.rotation_hash, at))[-MAX_REPLACED_TOKENS:]
        return replace(self, rotation_hash=rotation_hash, replaced=replaced)


@dataclass(frozen=True, slots=True)
class LoginResult:
    """A session with its current refresh token; the gateway issues the access token. `refresh_expires_in`: seconds."""

    session_id: str
    refresh_token: str = field(repr=False)
    refresh_expires_in: int
    access: OperatorAccess
    device_token: str | None = field(default=None, repr=False)
    """Makes the device known to later logins; None for a refresh."""
    failed_attempts: int = 0
    """Attempts to log in that failed on unknown devices since the operator last logged in."""
