"""Invitations: a way in for somebody who is on the team and has no password yet. Good once, for seven days."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from parley.chat.accounts.passwords import Passwords
from parley.chat.accounts.service import Invitation, Operator, OperatorStore, TenantStore, told_of
from parley.chat.audit.service import Audit
from parley.chat.sessions.service import Login, Sessions
from parley.common.errors import NotFound
from parley.common.runtime.clock import Clock

INVITATION_LIFE = timedelta(days=7)


class InvitationNotFound(NotFound):
    code = "invitation_not_found"
    sentence = "This invitation is not valid any more. Please ask for a new one."


@dataclass(frozen=True, slots=True)
class Invited:
    """What the inviter passes on; shown this once."""

    token: str = field(repr=False)
    link: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invitations:
    """Makes invitations and lets people in by them."""

    operators: OperatorStore
    tenants: TenantStore
    sessions: Sessions
    passwords: Passwords
    audit: Audit
    clock: Clock
    public_url: str

    def new(self) -> tuple[Invited, Invitation]:
        """What is passed on, and what is kept."""
        token = secrets.token_urlsafe(32)
        expires_at = self.clock() + INVITATION_LIFE
        # Behind the #, a token is not sent to servers on the way and stands in no log of theirs.
        link = f"{self.public_url}/panel/#invitation={token}"
        return Invited(token, link, expires_at), Invitation(_hash(token), expires_at)

    async def accept(self, token: str, password: str, name: str | None, address: str) -> Login:
        """Set the invited person's password and log them in. Raises InvitationNotFound, ChangedMeanwhile."""
        await self._invited(token)
        password_hash = await self.passwords.hash(password)
        before = await self._invited(token)
        after = replace(
            before,
            password_hash=password_hash,
            name=name or before.name,
            invitation=None,
            version=before.version + 1,
        )
        source = replace(before.source, address=address)
        told = await told_of(self.audit, source, after, "invitation.accepted")
        await self.operators.save(before, after, told)
        if after.acts_as_owner:
            await self.tenants.add_owner(after.tenant_id, after.id)
        return await self.sessions.begin(after, address, "session.login")

    async def _invited(self, token: str) -> Operator:
        operator = await self.operators.by_invitation(_hash(token))
        invitation = operator.invitation if operator else None
        if operator is None or not operator.active or invitation is None or invitation.expires_at <= self.clock():
            raise InvitationNotFound
        return operator


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
