"""Exports and erases what Parley stores about a visitor.

An erasure is a record that is worked off in passes. It begins with a placeholder in the visitor's place, which blocks
the session. The first pass deletes what chat stores; `visitor.erased`, in the record's outbox, makes the other services
delete theirs, also if they are down at that time. A request that was in flight may still write: after GRACE_PERIOD,
longer than any request lives, a second pass deletes and publishes again. Then the placeholder is removed, and the
record keeps only counts and dates.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from parley.chat.audit.model import AuditActor
from parley.chat.audit.service import AuditService
from parley.chat.conversations import events
from parley.chat.conversations.transitions import anonymized
from parley.chat.files.model import StoredFile, object_name
from parley.chat.ids import NextId
from parley.chat.privacy.model import DataCounts, Erasure, PersonalDataExport
from parley.chat.privacy.ports import PersonalDataRepository, RemoteDataSources, StoredContent
from parley.chat.sites.site_settings import SiteSettingsReader
from parley.chat.visitors.errors import VisitorNotFound
from parley.chat.visitors.model import DataSubject
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Unavailable
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock

log = get_logger(__name__)

GRACE_PERIOD = timedelta(seconds=45)
"""Longer than a request, the retries of a transition, or an outbox entry lives in a process."""
_MAX_ERASURES_PER_RUN = 20


@dataclass(frozen=True, slots=True)
class PersonalDataService:
    repository: PersonalDataRepository
    content: StoredContent
    remote_sources: RemoteDataSources
    sites: SiteSettingsReader
    audit: AuditService
    clock: Clock
    next_id: NextId

    async def get_subject(self, caller: OperatorCaller, site_id: int, session: str) -> DataSubject:
        """Return a session of one of the caller's sites, whether or not it is known. Raises NotFound, Forbidden."""
        site = await self.sites.get(caller.tenant_id, site_id)
        caller.authorize(site.tenant_id, site.id)
        return DataSubject(site.tenant_id, site.id, session)

    async def find_subject(self, site_id: int, session: str) -> DataSubject | None:
        """Return a session of a site of any tenant; None if there is no such site. Only for administrators."""
        return await self.repository.find_subject(site_id, session)

    async def find_subjects_by_email(self, site_id: int, email: str) -> Sequence[DataSubject]:
        """Find the visitors of a site of any tenant who left an e-mail address. Only for administrators."""
        return await self.repository.find_subjects_by_email(site_id, email)

    async def count(self, subject: DataSubject) -> DataCounts:
        """Count what chat stores."""
        return await self.repository.count(subject)

    async def read_image(self, name: str) -> bytes | None:
        """Return the bytes of an image; None if there is no such image. Raises Unavailable."""
        return await self.content.get(name)

    async def read_file(self, file: StoredFile) -> AsyncIterator[bytes] | None:
        """Return the content of a file in chunks; None if there is no such file. Raises Unavailable."""
        return await self.content.read_range(object_name(file.id), 0, file.size)

    async def export(self, caller: OperatorCaller | AuditActor, subject: DataSubject) -> PersonalDataExport:
        """Collect what all services store. An export is complete or fails.

        Raises VisitorNotFound if nothing is stored, Unavailable if a service does not respond.
        """
        stored = await self.repository.collect(subject)
        conversation_ids = [conversation.conversation.id for conversation in stored.conversations]
        remote = await self.remote_sources(subject, conversation_ids)
        if stored.is_empty and not any(remote.values()):
            raise VisitorNotFound
        await self.audit.record(caller, "visitor.exported", f"site:{subject.site_id}", subject.site_id)
        return PersonalDataExport(subject, self.clock(), stored, remote)

    async def erase(self, caller: OperatorCaller | AuditActor, subject: DataSubject) -> DataCounts:
        """Begin an erasure and run its first pass. Returns what chat deleted.

        Raises VisitorNotFound if nothing is stored, or an erasure is in progress.
        """
        counts = await self.repository.count(subject)
        if counts.is_empty and not await self._may_be_stored_remotely(subject):
            raise VisitorNotFound
        erasure_id = await self.next_id()
        # The entry says that an erasure happened and who began it, but not whose data it was.
        entry = await self.audit.entry(caller, "visitor.erased", f"erasure:{erasure_id}", subject.site_id)
        erasure = Erasure(erasure_id, subject, entry.event_actor)
        now = self.clock()
        if not await self.repository.begin(erasure, now, now + GRACE_PERIOD, entry):
            raise VisitorNotFound
        return replace(await self._run_pass(erasure, defer_content=True), visitors=counts.visitors)

    async def finish_due(self) -> None:
        """Run the second pass of erasures whose grace period is over, also of those that a crash interrupted."""
        for _ in range(_MAX_ERASURES_PER_RUN):
            now = self.clock()
            erasure = await self.repository.claim(now, now + GRACE_PERIOD)
            if erasure is None:
                return
            if not erasure.releasing:
                await self._run_pass(erasure, defer_content=False)
            await self.repository.release(erasure, self.clock())

    async def _run_pass(self, erasure: Erasure, *, defer_content: bool) -> DataCounts:
        """Delete and publish. With `defer_content`, the next pass removes images and files if their storage is down."""
        result = await self.repository.delete_stored(erasure)
        try:
            for name in result.images:
                await self.content.remove(name)
            for file_id in result.files:
                await self.content.remove(object_name(file_id))
        except Unavailable:
            if not defer_content:
                raise
            log.warning("images_not_erased_yet", erasure=erasure.id)
        else:
            await self.repository.delete_image_records(result.images)
            await self.repository.delete_file_records(result.files)
        at = self.clock()
        published = [
            events.closed_by_erasure(anonymized(conversation, at), erasure.actor)
            for conversation in result.closed_conversations
        ]
        published.append(events.visitor_erased(erasure.subject, result.conversation_ids, erasure.actor))
        await self.repository.record_result(erasure, published, result.counts)
        return result.counts

    async def _may_be_stored_remotely(self, subject: DataSubject) -> bool:
        try:
            return any((await self.remote_sources(subject, [])).values())
        except Unavailable:
            # A service that is down may store something: it deletes it when it is up again.
            return True
