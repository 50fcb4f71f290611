"""Requests under a session that was joined to a person while they were on their way.

The gateway lets a request in that comes before the join, or within the time that the session's end takes to reach it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from parley.chat.conversations.errors import ConversationNotFound
from parley.chat.identification.joining import SessionJoiner
from parley.chat.identification.session_ends import SessionEnds
from parley.chat.visitors.errors import VisitorNotFound
from parley.chat.visitors.model import Visitor
from parley.common.auth.identity import VisitorCaller

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LateWrites:
    session_ends: SessionEnds
    joiner: SessionJoiner

    async def run(self, caller: VisitorCaller, write: Callable[[VisitorCaller], Awaitable[T]]) -> T:
        """Run what a visitor writes so that it reaches the person to whom their session was joined meanwhile.

        `write` changes nothing before it raises VisitorNotFound or ConversationNotFound: it is run again as the person
        if the visitor was removed by the join. Raises what `write` raises, and ConcurrentModification.
        """
        try:
            result = await write(caller)
        except (VisitorNotFound, ConversationNotFound):
            person = await self.find_person(caller)
            if person is None:
                raise
            return await write(replace(caller, session=person.session))
        await self.join(caller)
        return result

    async def join(self, caller: VisitorCaller) -> None:
        """Join once more what is stored under the caller's session, if that was joined to a person.

        Raises ConcurrentModification.
        """
        person = await self.find_person(caller)
        if person is not None:
            await self.joiner.join(caller, person)

    async def find_person(self, caller: VisitorCaller) -> Visitor | None:
        """Return the person to whom the caller's session was joined; None if it was not."""
        return await self.session_ends.find_person(Visitor(caller.tenant_id, caller.site_id, caller.session))
