"""What identification needs from tokens' cryptography and from storage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from parley.chat.identification.model import EndedSession, ProvedIdentity
from parley.chat.sites.site_settings import SiteSettings
from parley.chat.visitors.model import Visitor
from parley.common.events import Event


class VerifyToken(Protocol):
    def __call__(self, token: str, site: SiteSettings, now: datetime) -> ProvedIdentity:
        """Return what a token proves on a site. Raises IdentityTokenRefused."""


class EncryptSecret(Protocol):
    def __call__(self, site_id: int, key: str) -> str: ...


class SecretUses(Protocol):
    async def record_identity_secret_use(self, site_id: int, secret_id: int, at: datetime) -> None:
        """Store when an identity secret was used last; no effect if it was revoked."""


class EndedSessions(Protocol):
    async def add(self, session: EndedSession, event: Event) -> EndedSession:
        """End a session and publish the event. Returns how it has ended: of two calls, the first one counts."""

    async def find(self, site_id: int, fingerprint: str) -> EndedSession | None: ...


class SessionContent(Protocol):
    """What is stored under a visitor's session, besides their conversations."""

    async def assign_messages(self, conversation_ids: Sequence[int], person: Visitor) -> None:
        """Move the messages of joined conversations to a person."""

    async def assign_uploads(self, session: str, person: Visitor) -> None:
        """Move what was uploaded under a session to a person."""

    async def assign_triggers(self, session: str, person: Visitor) -> None:
        """Move what a session was shown of triggers to a person."""
