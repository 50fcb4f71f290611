"""Issues and accepts invitations. An invitation can be used once, for seven days."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from parley.chat.accounts.events import access_changed_event
from parley.chat.accounts.login_throttling import LoginOrigin
from parley.chat.accounts.model import Operator
from parley.chat.accounts.password_policy import require_acceptable
from parley.chat.accounts.passwords import hash_password
from parley.chat.accounts.ports import OperatorRepository, PasswordHasher, TenantRepository
from parley.chat.audit.service import AuditService
from parley.chat.invitations.errors import InvitationNotFound
from parley.chat.invitations.model import Invitation, IssuedInvitation
from parley.chat.sessions.model import LoginResult
from parley.chat.sessions.service import SessionService
from parley.common.auth.token_hashing import hash_token
from parley.common.runtime.clock import Clock

INVITATION_LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class InvitationService:
    operators: OperatorRepository
    tenants: TenantRepository
    sessions: SessionService
    passwords: PasswordHasher
    audit: AuditService
    clock: Clock
    public_url: str
    """URL of the deployment, without a slash at its end."""

    def issue(self) -> tuple[IssuedInvitation, Invitation]:
        """Create an invitation. Returns what the inviter passes on, and what is stored with the operator."""
        token = secrets.token_urlsafe(32)
        expires_at = self.clock() + INVITATION_LIFETIME
        # Browsers do not send the fragment (after #) to servers, so the token appears in no access log.
        link = f"{self.public_url}/panel/#invitation={token}"
        return IssuedInvitation(token, link, expires_at), Invitation(hash_token(token), expires_at)

    async def accept(self, token: str, password: str, name: str | None, client_ip: str) -> LoginResult:
        """Set the invited operator's password and log them in.

        Raises InvitationNotFound, ValidationFailed for a weak password, EditConflict, Unavailable.
        """
        invited = await self._get_invited(token)  # Before the expensive hash.
        await require_acceptable(password, "password", invited.email)
        password_hash = await hash_password(self.operators, self.passwords, invited.email, password)
        before = await self._get_invited(token)
        after = replace(
            before,
            password_hash=password_hash,
            name=name or before.name,
            invitation=None,
            version=before.version + 1,
        )
        actor = replace(before.audit_actor, client_ip=client_ip)
        audited = await access_changed_event(self.audit, actor, after, "invitation.accepted")
        await self.operators.save(before, after, audited)
        if after.is_active_owner:
            await self.tenants.add_owner(after.tenant_id, after.id)
        return await self.sessions.create(after, LoginOrigin(client_ip), "session.login")

    async def _get_invited(self, token: str) -> Operator:
        """Return the active operator whose invitation has this token and has not expired. Raises InvitationNotFound."""
        operator = await self.operators.find_by_invitation(hash_token(token))
        invitation = operator.invitation if operator else None
        if operator is None or not operator.active or invitation is None or invitation.expires_at <= self.clock():
            raise InvitationNotFound
        return operator
