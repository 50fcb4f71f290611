"""Logins: from a password to a session, from one refresh token to the next, and to the end of it.

A refresh token has two halves. The first is the session's own and stays; the second is new at each refresh. Who
presents the first with a second that is not the latest holds a token that was used before: it was copied, by them or
from them, and the session ends.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from parley.chat.accounts.access import AccessBook, OperatorAccess
from parley.chat.accounts.login_throttling import LoginGuard
from parley.chat.accounts.passwords import Passwords
from parley.chat.accounts.service import Operator, OperatorStore
from parley.chat.audit.service import Audit, Told
from parley.common.errors import NotFound, Unauthenticated
from parley.common.events import Actor, new_event
from parley.common.events.team import OperatorAccessChanged
from parley.common.runtime.clock import Clock

SESSION_LIFE = timedelta(days=30)
"""From the last refresh on."""


class BadCredentials(Unauthenticated):
    code = "bad_credentials"
    sentence = "The e-mail address or the password is not right."


class BadRefreshToken(Unauthenticated):
    code = "bad_refresh_token"
    sentence = "This session is over. Please log in again."


class OperatorSuspended(Unauthenticated):
    """Told to those alone who know the password."""

    code = "operator_suspended"
    sentence = "This account is suspended."


@dataclass(frozen=True, slots=True)
class Session:
    """One login and every token that came of it. Only hashes of the tokens are kept."""

    id: str
    operator_id: int
    tenant_id: int
    family_hash: str = field(repr=False)
    rotation_hash: str = field(repr=False)
    password_version: int
    created_at: datetime
    last_seen: datetime
    expires_at: datetime
    address: str
    ended_at: datetime | None = None

    def live(self, operator: Operator, now: datetime) -> bool:
        """Whether it still lets the operator in."""
        current = self.password_version == operator.password_version or self.id == operator.kept_session
        return self.ended_at is None and self.expires_at > now and current and self.operator_id == operator.id


@dataclass(frozen=True, slots=True)
class Login:
    """What the gateway makes its token from. `refresh_expires_in` is in seconds."""

    session_id: str
    refresh_token: str = field(repr=False)
    refresh_expires_in: int
    access: OperatorAccess


class SessionStore(Protocol):
    """Where sessions are kept."""

    async def add(self, session: Session) -> None: ...
    async def find(self, session_id: str) -> Session | None: ...
    async def by_family(self, family_hash: str) -> Session | None: ...

    async def rotate(self, before: Session, after: Session) -> bool:
        """Give a live session its next token, if the one in `before` is still the latest."""

    async def end(self, session_id: str, at: datetime, told: Told) -> bool:
        """End a session. False where it had ended before."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Begins, carries on and ends logins, and says what a session may touch."""

    operators: OperatorStore
    sessions: SessionStore
    access_book: AccessBook
    passwords: Passwords
    guard: LoginGuard
    audit: Audit
    clock: Clock

    async def login(self, email: str, password: str, address: str) -> Login:
        """A session for whoever knows the password. Raises BadCredentials, OperatorSuspended, TooMany."""
        email = email.strip().lower()
        # Counting and checking share one turn: whoever guesses in parallel gets no more tries than one by one.
        async with self.passwords.place():
            await self.guard.check(email, address)
            operator = await self.operators.by_email(email)
            right = await self.passwords.fits(operator.password_hash if operator else None, password)
            if operator is None or not right:
                await self.guard.failed(email, address)
                raise BadCredentials
        await self.guard.succeeded(email)
        if not operator.active:
            raise OperatorSuspended
        return await self.begin(operator, address, "session.login")

    async def begin(self, operator: Operator, address: str, action: str) -> Login:
        """A new session for an operator who has shown who they are."""
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
            expires_at=now + SESSION_LIFE,
            address=address,
        )
        await self.sessions.add(session)
        await self.audit.record(replace(operator.source, address=address), action, f"operator:{operator.id}")
        return await self._login(session, token, operator)

    async def refresh(self, token: str, address: str) -> Login:
        """The session's next token. Raises BadRefreshToken; a token used before ends its session."""
        family, _, rotation = token.partition(".")
        session = await self.sessions.by_family(_hash(family))
        operator = await self.operators.find(session.operator_id) if session else None
        now = self.clock()
        if session is None or operator is None or not operator.active or not session.live(operator, now):
            raise BadRefreshToken
        fresh, rotation_hash = _rotated(family)
        before = replace(session, rotation_hash=_hash(rotation))
        after = replace(
            session, rotation_hash=rotation_hash, last_seen=now, address=address, expires_at=now + SESSION_LIFE
        )
        if not await self.sessions.rotate(before, after):
            await self._end(session, operator, "session.token_reused", address)
            raise BadRefreshToken
        return await self._login(after, fresh, operator)

    async def logout(self, session_id: str | None, refresh_token: str | None, address: str) -> None:
        """End a session, named by its id or by any token of it. Nothing happens where there is none."""
        session = await self.sessions.find(session_id) if session_id else None
        if session is None and refresh_token:
            session = await self.sessions.by_family(_hash(refresh_token.partition(".")[0]))
        operator = await self.operators.find(session.operator_id) if session else None
        if session is not None and operator is not None:
            await self._end(session, operator, "session.logout", address)

    async def access(self, operator_id: int, session_id: str | None) -> OperatorAccess:
        """What an operator may touch now. Raises NotFound for who was removed, and for a session that is over."""
        operator = await self.operators.find(operator_id)
        if operator is None or operator.removed_at is not None:
            raise NotFound
        if session_id is not None:
            session = await self.sessions.find(session_id)
            if session is None or not session.live(operator, self.clock()):
                raise NotFound
        return await self.access_book.of(operator)

    async def _login(self, session: Session, token: str, operator: Operator) -> Login:
        return Login(session.id, token, int(SESSION_LIFE.total_seconds()), await self.access_book.of(operator))

    async def _end(self, session: Session, operator: Operator, action: str, address: str) -> None:
        by = replace(operator.source, address=address)
        entry = await self.audit.entry(by, action, f"operator:{operator.id}")
        data = OperatorAccessChanged(operator_id=operator.id, session_id=session.id, version=operator.version)
        actor = Actor(kind="operator", id=operator.id, name=operator.name)
        event = new_event(data, tenant_id=operator.tenant_id, site_id=0, actor=actor, at=entry.at)
        await self.sessions.end(session.id, entry.at, Told(event, entry))


def _new_token() -> tuple[str, str, str]:
    """A token, and the hashes of its halves."""
    family = secrets.token_urlsafe(32)
    token, rotation_hash = _rotated(family)
    return token, _hash(family), rotation_hash


def _rotated(family: str) -> tuple[str, str]:
    rotation = secrets.token_urlsafe(32)
    return f"{family}.{rotation}", _hash(rotation)


def _hash(text: str) -> str:
    # The tokens are random, so that a plain hash tells nothing; passwords are another matter.
    return hashlib.sha256(text.encode()).hexdigest()
