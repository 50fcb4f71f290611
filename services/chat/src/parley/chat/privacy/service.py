"""What Parley keeps of one visitor: shown whole, or erased everywhere it lies (GDPR, articles 15 and 17).

An erasure is a record that is worked off. It begins with a gate: from then on nothing is taken from the session. What
chat holds is deleted, and `visitor.erased`, in the record's outbox, has the other services erase theirs, now or when
they are back. A request that was under way may still write: after a grace longer than any of them lives, everything
is done once more and told once more; then the gate is lifted, and the record forgets whom it was about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from parley.chat.accounts.service import NextId
from parley.chat.audit.service import Audit, Entry, Source
from parley.chat.conversations import events as facts
from parley.chat.conversations.errors import VisitorNotFound
from parley.chat.conversations.model import Conversation, Message, Note, Subject, Visitor
from parley.chat.conversations.ports import Sites
from parley.chat.conversations.transitions import emptied
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Unavailable
from parley.common.events import Actor, Event
from parley.common.observability.logging import logger
from parley.common.runtime.clock import Clock

log = logger(__name__)

GRACE = timedelta(seconds=45)
"""Longer than a request, a transition with its retries, or an entry of the outbox lives in a process."""
_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is, or was."""

    visitors: int = 0
    conversations: int = 0
    messages: int = 0
    notes: int = 0
    images: int = 0

    @property
    def anything(self) -> bool:
        return any((self.visitors, self.conversations, self.messages, self.notes, self.images))


@dataclass(frozen=True, slots=True)
class KeptConversation:
    """A conversation with all that was said in it."""

    conversation: Conversation
    messages: Sequence[Message]
    notes: Sequence[Note]


@dataclass(frozen=True, slots=True)
class Kept:
    """What chat holds of a visitor. `images` are the names of those in their conversations or uploaded by them."""

    visitor: Visitor | None
    conversations: Sequence[KeptConversation]
    images: Sequence[str]


@dataclass(frozen=True, slots=True)
class Export:
    """Everything, from every service; `elsewhere` is each one's own answer, None where it holds nothing."""

    subject: Subject
    at: datetime
    kept: Kept
    elsewhere: Mapping[str, Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure as it is worked off. `lifting`: all is erased, and only the gate is still there."""

    id: int
    subject: Subject
    actor: Actor
    conversation_ids: tuple[int, ...] = ()
    lifting: bool = False


@dataclass(frozen=True, slots=True)
class Wiped:
    """What a pass over chat's collections found: how much, which conversations were open, all ids and images so far."""

    counts: Counts
    were_open: Sequence[Conversation]
    conversation_ids: Sequence[int]
    images: Sequence[str]


class PersonalDataStore(Protocol):
    """Where chat's part of it lies."""

    async def gather(self, subject: Subject) -> Kept: ...
    async def count(self, subject: Subject) -> Counts: ...

    async def with_address(self, site_id: int, email: str) -> Sequence[Subject]:
        """Who has left an e-mail address on a site; upper and lower case are one."""

    async def of_site(self, site_id: int, session: str) -> Subject | None:
        """A session of a site, whosesoever the site is: for administrators, who have no caller."""

    async def begin(self, erasure: Erasure, at: datetime, due: datetime, entry: Entry) -> bool:
        """Keep the record and put up the gate. False where the visitor is being erased already."""

    async def wipe(self, erasure: Erasure) -> Wiped:
        """Delete what there is; done again, it deletes what has come since."""

    async def drop_images(self, names: Sequence[str]) -> None:
        """Forget images whose bytes are gone."""

    async def tell(self, erasure: Erasure, events: Sequence[Event], counts: Counts) -> None:
        """Put events into the record's outbox, with its line for the audit log, and what was erased into its counts."""

    async def claim(self, now: datetime, until: datetime) -> Erasure | None:
        """One that is due; others see it again at `until`."""

    async def lift(self, erasure: Erasure, at: datetime) -> None:
        """Take the gate away and forget whom the record was about."""


class ImageBytes(Protocol):
    """Where images' bytes lie."""

    async def get(self, name: str) -> bytes | None:
        """None where it is not there. Raises Unavailable."""

    async def remove(self, name: str) -> None:
        """Also where it is not there. Raises Unavailable."""


class Elsewhere(Protocol):
    """The other services, asked what they hold."""

    async def __call__(self, subject: Subject, conversation_ids: Sequence[int]) -> Mapping[str, Any]:
        """By service; None where one holds nothing. Raises Unavailable unless all have answered."""


@dataclass(frozen=True, slots=True)
class PersonalData:
    store: PersonalDataStore
    images: ImageBytes
    elsewhere: Elsewhere
    sites: Sites
    audit: Audit
    clock: Clock
    next_id: NextId

    async def subject(self, caller: OperatorCaller, site_id: int, session: str) -> Subject:
        """A session of one of the caller's sites. Raises NotFound."""
        site = await self.sites.get(caller.tenant_id, site_id)
        caller.authorize(site.tenant_id, site.id)
        return Subject(site.tenant_id, site.id, session)

    async def of_site(self, site_id: int, session: str) -> Subject | None:
        """A session of any tenant's site, for administrators; None where there is no such site."""
        return await self.store.of_site(site_id, session)

    async def with_address(self, site_id: int, email: str) -> Sequence[Subject]:
        """Everybody on any tenant's site who left an address, for administrators."""
        return await self.store.with_address(site_id, email)

    async def count(self, subject: Subject) -> Counts:
        """How much chat holds."""
        return await self.store.count(subject)

    async def image(self, name: str) -> bytes | None:
        """An image's bytes; None where they are gone. Raises Unavailable."""
        return await self.images.get(name)

    async def export(self, who: OperatorCaller | Source, subject: Subject) -> Export:
        """Everything that is kept. Raises VisitorNotFound where nothing is, Unavailable where it would not be all."""
        kept = await self.store.gather(subject)
        elsewhere = await self.elsewhere(subject, [one.conversation.id for one in kept.conversations])
        if kept.visitor is None and not kept.conversations and not kept.images and not any(elsewhere.values()):
            raise VisitorNotFound
        await self.audit.record(who, "visitor.exported", f"site:{subject.site_id}", subject.site_id)
        return Export(subject, self.clock(), kept, elsewhere)

    async def erase(self, who: OperatorCaller | Source, subject: Subject) -> Counts:
        """Begin an erasure and do what is chat's of it. Raises VisitorNotFound where nothing is kept."""
        counts = await self.store.count(subject)
        if not counts.anything and not await self._known_elsewhere(subject):
            raise VisitorNotFound
        actor = (
            Actor(kind="operator", id=who.operator_id, name=who.name)
            if isinstance(who, OperatorCaller)
            else Actor(kind="system")
        )
        erasure = Erasure(await self.next_id(), subject, actor)
        # That it happened is kept, and by whom; of whom is not.
        entry = await self.audit.entry(who, "visitor.erased", f"erasure:{erasure.id}", subject.site_id)
        now = self.clock()
        if not await self.store.begin(erasure, now, now + GRACE, entry):
            raise VisitorNotFound
        return replace(await self._wipe(erasure, patient=True), visitors=counts.visitors)

    async def finish_due(self) -> None:
        """Go on with erasures whose grace is over, also those that a crash left behind."""
        for _ in range(_AT_ONCE):
            now = self.clock()
            erasure = await self.store.claim(now, now + GRACE)
            if erasure is None:
                return
            if not erasure.lifting:
                await self._wipe(erasure, patient=False)
            await self.store.lift(erasure, self.clock())

    async def _wipe(self, erasure: Erasure, *, patient: bool) -> Counts:
        """Erase and tell. With `patient`, images whose storage is away are left to the second time."""
        wiped = await self.store.wipe(erasure)
        try:
            for name in wiped.images:
                await self.images.remove(name)
        except Unavailable:
            if not patient:
                raise
            log.warning("images_not_erased_yet", erasure=erasure.id)
        else:
            await self.store.drop_images(wiped.images)
        at = self.clock()
        events = [facts.closed_by_erasure(emptied(one, at), erasure.actor) for one in wiped.were_open]
        events.append(facts.visitor_erased(erasure.subject, wiped.conversation_ids, erasure.actor))
        await self.store.tell(erasure, events, wiped.counts)
        return wiped.counts

    async def _known_elsewhere(self, subject: Subject) -> bool:
        try:
            return any((await self.elsewhere(subject, [])).values())
        except Unavailable:
            # A service that is away may hold something: it erases it when it is back.
            return True
