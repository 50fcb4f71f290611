"""Login, refresh and logout of operators.

A refresh token has two parts. The first, the family, identifies the session and stays the same; the second changes
with each refresh. A token that was replaced within REUSE_WINDOW gets the current token: two tabs refreshed at the same
moment, or an answer was lost. A token replaced earlier was copied: the session ends.

So that the current token can be returned without storing it, each second part is derived from the one before it, with
a key of the session that never leaves the database.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from parley.chat import metrics
from parley.chat.accounts.access import AccessResolver, OperatorAccess
from parley.chat.accounts.errors import TeamChoiceRequired
from parley.chat.accounts.login_throttling import LoginOrigin, LoginThrottle
from parley.chat.accounts.model import Operator
from parley.chat.accounts.ports import OperatorRepository, PasswordHasher, TenantRepository
from parley.chat.audit.model import AuditActor, AuditedEvent
from parley.chat.audit.service import AuditService
from parley.chat.sessions.errors import InvalidCredentials, InvalidRefreshToken, OperatorSuspended
from parley.chat.sessions.model import MAX_REPLACED_TOKENS, LoginResult, Session
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
    tenants: TenantRepository
    sessions: SessionRepository
    access_resolver: AccessResolver
    passwords: PasswordHasher
    login_throttle: LoginThrottle
    audit: AuditService
    clock: Clock

    async def login(self, email: str, password: str, origin: LoginOrigin, tenant_id: int | None = None) -> LoginResult:
        """Verify a password and create a session, in the team of that tenant if one is named.

        Raises InvalidCredentials, OperatorSuspended, TeamChoiceRequired, LoginDelayed, LoginBlocked, Unavailable.
        """
        email = email.strip().lower()
        # One slot covers the check of the throttle and the verification: parallel guesses gain no extra attempts.
        async with self.passwords.slot():
            listed = await self.operators.list_by_email(email)
            operators = {one.login_name: one for one in listed if tenant_id is None or one.tenant_id == tenant_id}
            # An address without an account is counted in the same way.
            names = await self.login_throttle.admit(list(operators) or [email], origin)
            hashes = [operators[name].password_hash if name in operators else None for name in names]
            verified = await self.passwords.verify_each(hashes, password)
            matching = [name for name, matches in zip(names, verified, strict=True) if matches]
            if not matching:
                await self._record_failure(names, operators, origin)
                raise InvalidCredentials
        operator = await self._choose([operators[name] for name in matching], list(operators), origin)
        failed_attempts = await self.login_throttle.record_success(operator.login_name, origin)
        if not operator.active:
            raise OperatorSuspended
        result = await self.create(operator, origin, "session.login")
        return replace(result, failed_attempts=failed_attempts)

    async def _choose(self, matching: Sequence[Operator], names: Sequence[str], origin: LoginOrigin) -> Operator:
        """Return the account to log in to, of those that have the password. `names` are all accounts of the address.

        An account in which the caller has logged in before hides the others: somebody who has an account with the
        address learns from it neither whether there are others nor what passwords they have. Raises TeamChoiceRequired.
        """
        known = await self.login_throttle.filter_known(names, origin)
        chosen = [one for one in matching if one.login_name in known]
        if not chosen:
            chosen = list(matching)
            await self.login_throttle.count_guess(set(names) - known - {one.login_name for one in matching})
        chosen = [one for one in chosen if one.active] or chosen
        if len(chosen) > 1:
            tenants = [await self.tenants.get(one.tenant_id) for one in chosen]
            raise TeamChoiceRequired(teams=[{"id": tenant.id, "name": tenant.name} for tenant in tenants])
        return chosen[0]

    async def create(self, operator: Operator, origin: LoginOrigin, action: str) -> LoginResult:
        """Create a session for an operator who is authenticated already. `action` is that of the audit entry."""
        now = self.clock()
        family, rotation = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        session = Session(
            id=secrets.token_hex(16),
            operator_id=operator.id,
            tenant_id=operator.tenant_id,
            family_hash=hash_token(family),
            rotation_hash=hash_token(rotation),
            rotation_key=secrets.token_hex(32),
            password_version=operator.password_version,
            created_at=now,
            last_seen=now,
            expires_at=now + SESSION_LIFETIME,
            client_ip=origin.client_ip,
        )
        await self.sessions.add(session)
        actor = replace(operator.audit_actor, client_ip=origin.client_ip)
        await self.audit.record(actor, action, f"operator:{operator.id}")
        device_token = await self.login_throttle.remember(operator.login_name, origin)
        result = await self._login_result(session, f"{family}.{rotation}", operator)
        return replace(result, device_token=device_token)

    async def refresh(self, token: str, client_ip: str) -> LoginResult:
        """Exchange a refresh token for the next one, or for the current one within REUSE_WINDOW.

        Raises InvalidRefreshToken. A token that was replaced before that also ends its session.
        """
        family, _, rotation = token.partition(".")
        for _attempt in range(MAX_REPLACED_TOKENS):
            session = await self.sessions.find_by_family(hash_token(family))
            operator = await self.operators.find(session.operator_id) if session else None
            now = self.clock()
            if session is None or operator is None or not operator.active or not session.is_valid_for(operator, now):
                raise InvalidRefreshToken
            if not secrets.compare_digest(session.rotation_hash, hash_token(rotation)):
                current = _find_current(session, rotation, now)
                if current is None:
                    await self._end(session, operator, "session.token_reused", client_ip)
                    raise InvalidRefreshToken
                return await self._login_result(session, f"{family}.{current}", operator)
            keyed = session if session.rotation_key else replace(session, rotation_key=secrets.token_hex(32))
            successor = _derive_successor(keyed, rotation)
            after = replace(
                keyed.with_replaced(hash_token(successor), now),
                last_seen=now,
                client_ip=client_ip,
                expires_at=now + SESSION_LIFETIME,
            )
            if await self.sessions.rotate(session, after):
                if client_ip != session.client_ip:
                    await self.login_throttle.remember_client_ip(operator.login_name, client_ip)
                return await self._login_result(after, f"{family}.{successor}", operator)
            # Another request has replaced the token, or ended the session, since it was read.
        raise InvalidRefreshToken

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

    async def filter_valid(self, operator_id: int, session_ids: Collection[str]) -> list[str]:
        """Return those of these sessions with which the operator is logged in now: none if they may not log in."""
        operator = await self.operators.find(operator_id)
        if operator is None or not operator.active:
            return []
        sessions = [await self.sessions.find(session_id) for session_id in session_ids]
        return [session.id for session in sessions if session and session.is_valid_for(operator, self.clock())]

    async def _record_failure(
        self, names: Sequence[str], operators: Mapping[str, Operator], origin: LoginOrigin
    ) -> None:
        blocked = await self.login_throttle.record_failure(names, origin)
        for operator in [operators[name] for name in names if name in operators]:
            await self._audit_failure(operator, origin, begins_block=operator.login_name in blocked)

    async def _audit_failure(self, operator: Operator, origin: LoginOrigin, *, begins_block: bool) -> None:
        # The attempt was somebody's who is not known: the operator is the target, not the actor.
        actor = AuditActor(operator.tenant_id, None, "unknown", origin.client_ip)
        target = f"operator:{operator.id}"
        await self.audit.record(actor, "session.login_failed", target, None, {"name": operator.name})
        if begins_block:
            metrics.LOGIN_BLOCKS.inc()
            await self.audit.record(actor, "session.login_blocked", target, None, {"name": operator.name})

    async def _login_result(self, session: Session, token: str, operator: Operator) -> LoginResult:
        access = await self.access_resolver.resolve(operator)
        return LoginResult(session.id, token, int(SESSION_LIFETIME.total_seconds()), access)

    async def _end(self, session: Session, operator: Operator, action: str, client_ip: str) -> None:
        actor = replace(operator.audit_actor, client_ip=client_ip)
        entry = await self.audit.entry(actor, action, f"operator:{operator.id}")
        data = OperatorAccessChanged(operator_id=operator.id, session_id=session.id, version=operator.version)
        event = new_event(data, tenant_id=operator.tenant_id, site_id=0, actor=entry.event_actor, at=entry.at)
        await self.sessions.end(session.id, entry.at, AuditedEvent(event, entry))


def _find_current(session: Session, rotation: str, now: datetime) -> str | None:
    """Return the second part of the session's current token, given one that may still be reused; otherwise None."""
    if not session.may_reuse(hash_token(rotation), now):
        return None
    for _ in range(MAX_REPLACED_TOKENS):
        rotation = _derive_successor(session, rotation)
        if hash_token(rotation) == session.rotation_hash:
            return rotation
    return None


def _derive_successor(session: Session, rotation: str) -> str:
    """Return the second part of the token that replaces the one with this second part."""
    key = bytes.fromhex(session.rotation_key or "")
    digest = hmac.digest(key, rotation.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
