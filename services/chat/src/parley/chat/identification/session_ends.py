"""Ends the session ids of visitors: by a logout, and when what a session has written joins a person's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from parley.chat.actors import visitor_actor
from parley.chat.identification.model import EndedSession
from parley.chat.identification.ports import EndedSessions
from parley.chat.identification.timeouts import SESSION_LIFETIME
from parley.chat.visitors.model import Visitor
from parley.chat.visitors.ports import VisitorRepository
from parley.common.auth.identity import VisitorCaller
from parley.common.events import new_event
from parley.common.events.team import VisitorSessionEnded
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class SessionEnds:
    ended: EndedSessions
    visitors: VisitorRepository
    clock: Clock

    async def end(self, caller: VisitorCaller) -> None:
        """End the caller's session id. What they have written stays."""
        expires_at = None
        if caller.session_expires_at:
            expires_at = datetime.fromtimestamp(caller.session_expires_at, UTC)
        elif await self.visitors.find(caller.tenant_id, caller.site_id, caller.session) is None:
            # There is nothing that it could show.
            expires_at = self.clock() + SESSION_LIFETIME
        await self._add(caller, None, expires_at)

    async def join(self, caller: VisitorCaller, person: Visitor) -> EndedSession:
        """End the caller's unidentified session in favour of a person's. Returns how it has ended, maybe before."""
        return await self._add(caller, person.session, self.clock() + SESSION_LIFETIME)

    async def find_person(self, visitor: Visitor) -> Visitor | None:
        """Return the person to whom belongs what an unidentified visitor has written; None if nobody is."""
        if visitor.external_id is not None:
            return None
        ended = await self.ended.find(visitor.site_id, visitor.session)
        if ended is None or ended.person is None:
            return None
        return await self.visitors.find(visitor.tenant_id, visitor.site_id, ended.person)

    async def _add(self, caller: VisitorCaller, person: str | None, expires_at: datetime | None) -> EndedSession:
        fingerprint, now = caller.session_fingerprint or caller.session, self.clock()
        event = new_event(
            VisitorSessionEnded(fingerprint=fingerprint),
            tenant_id=caller.tenant_id,
            site_id=caller.site_id,
            actor=visitor_actor(None),
            at=now,
        )
        session = EndedSession(caller.tenant_id, caller.site_id, fingerprint, now, expires_at, person)
        return await self.ended.add(session, event)
