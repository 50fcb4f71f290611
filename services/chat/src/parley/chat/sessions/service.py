"""Login, refresh and logout of operators.

A refresh token has two parts. The first, the family, identifies the session and stays the same; the second changes
with each refresh. A token whose second part is not the current one was used before, so it was copied: the session ends.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from parley.chat.accounts.access import AccessResolver, OperatorAccess
from parley.chat.accounts.login_throttling import LoginThrottle
from parley.chat.accounts.model import Operator
from parley.chat.accounts.ports import OperatorRepository, PasswordHasher
from parley.chat.audit.model import AuditedEvent
from parley.chat.audit.service import AuditService
from parley.chat.sessions.errors import InvalidCredentials, InvalidRefreshToken, OperatorSuspended
from parley.chat.sessions.model import LoginResult, Session
from parley.chat.sessions.ports import SessionRepository
from parley.common.auth.token_hashing import hash_token
from parley.common.errors import NotFound
from parley.common.events import new_event
from parley.common.events.team import OperatorAccessChanged
from parley.common.runtime.clock import Clock

SESSION_LIFETIME = timedelta(days=30)
"""Since the last refresh."""


@dataclass(frozen=True, slots=True)
class SessionService:
    operators: OperatorRepository
    sessions: SessionRepository
    access_resolver: AccessResolver
    passwords: PasswordHasher
    login_throttle: LoginThrottle
    audit: AuditService
    clock: Clock

    async def login(self, email: str, password: str, client_ip: str) -> LoginResult:
        """Verify a password and create a session.

        Raises InvalidCredentials, OperatorSuspended, LoginDelayed, LoginBlocked, Unavailable.
        """
        email = email.strip().lower()
        # One slot covers the check of the throttle and the verification: parallel guesses gain no extra attempts.
        async with self.passwords.slot():
            await self.login_throttle.check(email, client_ip)
            operator = await self.operators.find_by_email(email)
            matches = await self.passwords.verify(operator.password_hash if operator else None, password)
            if operator is None or not matches:
                await self.login_throttle.record_failure(email, client_ip)
                raise InvalidCredentials
        await self.login_throttle.record_success(email)
        if not operator.active:
            raise OperatorSuspended
        return await self.create(operator, client_ip, "session.login")

    async def create(self, operator: Operator, client_ip: str, action: str) -> LoginResult:
        """Create a session for an operator who is authenticated already. `action` is that of the audit entry."""
        now = self.clock()
        token, family_hash, rotation_hash = _new_token()
        session = Session(
            id=secrets.token_hex(16),
            operator_id=operator.id,
            tenant_id=operator.tenant_id,
            family_hash=family_hash,
            rotation_hash=rotation_hash,
            password_version=operator.password_version,
            created_at=now,
            last_seen=now,
            expires_at=now + SESSION_LIFETIME,
            client_ip=client_ip,
        )
        await self.sessions.add(session)
        await self.audit.record(replace(operator.audit_actor, client_ip=client_ip), action, f"operator:{operator.id}")
        return await self._login_result(session, token, operator)

    async def refresh(self, token: str, client_ip: str) -> LoginResult:
        """Exchange a refresh token for the next one.

        Raises InvalidRefreshToken. A token that was used before also ends its session.
        """
        family, _, rotation = token.partition(".")
        session = await self.sessions.find_by_family(hash_token(family))
        operator = await self.operators.find(session.operator_id) if session else None
        now = self.clock()
        if session is None or operator is None or not operator.active or not session.is_valid_for(operator, now):
            raise InvalidRefreshToken
        next_token, rotation_hash = _rotate(family)
        before = replace(session, rotation_hash=hash_token(rotation))
        after = replace(
            session, rotation_hash=rotation_hash, last_seen=now, client_ip=client_ip, expires_at=now + SESSION_LIFETIME
        )
        if not await self.sessions.rotate(before, after):
            await self._end(session, operator, "session.token_reused", client_ip)
            raise InvalidRefreshToken
        return await self._login_result(after, next_token, operator)

    async def logout(self, session_id: str | None, refresh_token: str | None, client_ip: str) -> None:
        """End a session, given by its id or by any of its refresh tokens. Does nothing if there is none."""
        session = await self.sessions.find(session_id) if session_id else None
        if session is None and refresh_token:
            session = await self.sessions.find_by_family(hash_token(refresh_token.partition(".")[0]))
        operator = await self.operators.find(session.operator_id) if session else None
        if session is not None and operator is not None:
            await self._end(session, operator, "session.logout", client_ip)

    async def resolve_access(self, operator_id: int, session_id: str | None) -> OperatorAccess:
        """Return an operator's current access. Raises NotFound if they were removed or the session is not valid."""
        operator = await self.operators.find(operator_id)
        if operator is None or operator.removed_at is not None:
            raise NotFound
        if session_id is not None:
            session = await self.sessions.find(session_id)
            if session is None or not session.is_valid_for(operator, self.clock()):
                raise NotFound
        return await self.access_resolver.resolve(operator)

    async def _login_result(self, session: Session, token: str, operator: Operator) -> LoginResult:
        access = await self.access_resolver.resolve(operator)
        return LoginResult(session.id, token, int(SESSION_LIFETIME.total_seconds()), access)

    async def _end(self, session: Session, operator: Operator, action: str, client_ip: str) -> None:
        actor = replace(operator.audit_actor, client_ip=client_ip)
        entry = await self.audit.entry(actor, action, f"operator:{operator.id}")
        data = OperatorAccessChanged(operator_id=operator.id, session_id=session.id, version=operator.version)
        event = new_event(data, tenant_id=operator.tenant_id, site_id=0, actor=entry.event_actor, at=entry.at)
        await self.sessions.end(session.id, entry.at, AuditedEvent(event, entry))


def _new_token() -> tuple[str, str, str]:
    """Return a refresh token of a new family, and the hashes of its two parts."""
    family = secrets.token_urlsafe(32)
    token, rotation_hash = _rotate(family)
    return token, hash_token(family), rotation_hash


def _rotate(family: str) -> tuple[str, str]:
    """Return the family's next refresh token, and the hash of its second part."""
    rotation = secrets.token_urlsafe(32)
    return f"{family}.{rotation}", hash_token(rotation)
