"""Sessions, and the result of a login."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from parley.chat.accounts.access import OperatorAccess
from parley.chat.accounts.model import Operator


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


@dataclass(frozen=True, slots=True)
class LoginResult:
    """A session with its current refresh token; the gateway issues the access token. `refresh_expires_in`: seconds."""

    session_id: str
    refresh_token: str = field(repr=False)
    refresh_expires_in: int
    access: OperatorAccess
