"""What sessions need from storage."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from parley.chat.audit.model import AuditedEvent
from parley.chat.sessions.model import Session


class SessionRepository(Protocol):
    async def add(self, session: Session) -> None: ...
    async def find(self, session_id: str) -> Session | None: ...
    async def find_by_family(self, family_hash: str) -> Session | None: ...

    async def rotate(self, before: Session, after: Session) -> bool:
        """Store the next refresh token. Returns False if the session ended or its token is not that of `before`."""

    async def end(self, session_id: str, at: datetime, audited: AuditedEvent) -> bool:
        """End a session. Returns False if it had already ended."""
