"""Identifies visitors by the tokens of their site's server.

A person has one visitor, whose session all of their devices share. No request reaches it without proof: its handle
cannot be derived from a session id that a widget generates, and its session ids are issued here. What a device wrote
before, under a session that nobody was proved to have, joins the person's history, and that session ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from parley.chat import metrics
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.ports import ConversationRepository
from parley.chat.identification.errors import IdentityTokenRefused, SessionEnded
from parley.chat.identification.joining import SessionJoiner
from parley.chat.identification.model import IdentitySecret, ProvedIdentity
from parley.chat.identification.ports import SecretUses, VerifyToken
from parley.chat.identification.session_ends import SessionEnds
from parley.chat.identification.timeouts import LAST_USED_RESOLUTION, SESSION_LIFETIME
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader
from parley.chat.visitors.model import Visitor
from parley.chat.visitors.ports import VisitorRepository
from parley.chat.visitors.service import VisitorService
from parley.common.auth.identity import VisitorCaller
from parley.common.auth.visitor_session import IdentifiedSession, IdentifiedSessions
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Identification:
    """The identified person, and how their session goes on."""

    person: Visitor
    conversation: Conversation | None
    session_id: str | None
    """The session id to use from now on; None if the present one stays."""
    joined: bool
    """Whether what the session had written before now belongs to the person; False if it is another person's."""


@dataclass(frozen=True, slots=True)
class IdentificationService:
    sites: SiteSettingsReader
    """Not cached: a revoked secret proves nothing from then on."""
    secret_uses: SecretUses
    verify: VerifyToken
    visitors: VisitorRepository
    visitor_service: VisitorService
    conversations: ConversationRepository
    joiner: SessionJoiner
    session_ends: SessionEnds
    sessions: IdentifiedSessions
    clock: Clock

    async def identify(self, caller: VisitorCaller, token: str) -> Identification:
        """Identify the caller. Again with the same facts, it changes nothing.

        Raises IdentityTokenRefused, SessionEnded, VisitorBeingErased, ConcurrentModification.
        """
        site, now = await self.sites.get(caller.tenant_id, caller.site_id), self.clock()
        try:
            proved = self.verify(token, site, now)
        except IdentityTokenRefused as exc:
            metrics.IDENTIFICATIONS.labels(exc.code.removeprefix("identity_")).inc()
            raise
        await self._record_use(site, proved.secret_id, now)
        handle = self.sessions.derive_handle(site.id, proved.external_id)
        person = await self.visitors.get_or_create_person(site.tenant_id, site.id, handle, proved.external_id)
        changes = _changes(person, proved)
        if changes:
            person = await self.visitor_service.update_person(person, changes)
        person, joined = await self._join(caller, person)
        metrics.IDENTIFICATIONS.labels("identified").inc()
        return Identification(
            person,
            await self.conversations.find_latest(person),
            self._renew_session(caller, person, proved.secret_id, now),
            joined,
        )

    async def _join(self, caller: VisitorCaller, person: Visitor) -> tuple[Visitor, bool]:
        """The person, and whether what the session has written is theirs. Raises SessionEnded."""
        if caller.identity_secret_id is not None:
            # A session that was identified as somebody else stays theirs.
            return person, caller.session == person.session
        # First of all: what arrives from now on under the session finds the person.
        ended = await self.session_ends.join(caller, person)
        if ended.person is None:
            raise SessionEnded
        if ended.person != person.session:
            return person, False
        return await self.joiner.join(caller, person), True

    def _renew_session(self, caller: VisitorCaller, person: Visitor, secret_id: int, now: datetime) -> str | None:
        """A new session id, unless the caller's is this person's, by the same secret, and good for long enough."""
        if (
            caller.session == person.session
            and caller.identity_secret_id == secret_id
            and caller.session_expires_at > (now + SESSION_LIFETIME / 2).timestamp()
        ):
            return None
        expires_at = int((now + SESSION_LIFETIME).timestamp())
        return self.sessions.issue(person.site_id, IdentifiedSession(person.session, secret_id, expires_at))

    async def _record_use(self, site: SiteSettings, secret_id: int, now: datetime) -> None:
        secret = next(secret for secret in site.identity_secrets if secret.id == secret_id)
        if _is_due(secret, now):
            await self.secret_uses.record_identity_secret_use(site.id, secret_id, now)


def _is_due(secret: IdentitySecret, now: datetime) -> bool:
    return secret.last_used_at is None or now - secret.last_used_at > LAST_USED_RESOLUTION


def _changes(person: Visitor, proved: ProvedIdentity) -> Mapping[str, Any]:
    """The fields that the token changes. What operators have written stays until the site says something else."""
    new = {name: value for name, value in proved.contact.items() if person.proved.get(name) != value}
    fields: dict[str, Any] = {**new, **{f"proved.{name}": value for name, value in new.items()}}
    if proved.attributes is not None and dict(proved.attributes) != dict(person.attributes):
        fields["attributes"] = dict(proved.attributes)
    return fields
