"""What export and erasure need from storage and from the other services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from parley.chat.audit.model import AuditEntry
from parley.chat.privacy.model import DataCounts, DerivedText, Erasure, ErasureResult, StoredPersonalData
from parley.chat.visitors.model import DataSubject
from parley.common.events import Event


class DerivedData(Protocol):
    """What another feature has stored that comes from visitors' conversations."""

    async def list_texts(self, conversation_ids: Sequence[int]) -> Sequence[DerivedText]: ...

    async def remove(self, conversation_ids: Sequence[int]) -> None:
        """Remove what comes from the conversations; called again for what was written meanwhile."""


class PersonalDataRepository(Protocol):
    """What chat stores about visitors, and a record of each erasure."""

    async def collect(self, subject: DataSubject) -> StoredPersonalData: ...

    async def count(self, subject: DataSubject) -> DataCounts: ...

    async def find_subjects_by_email(self, site_id: int, email: str) -> Sequence[DataSubject]:
        """Find the visitors of a site of any tenant who left an e-mail address, regardless of case."""

    async def find_subject(self, site_id: int, session: str) -> DataSubject | None:
        """Return the session of a site of any tenant, also a deleted one; None if there is no such site."""

    async def begin(self, erasure: Erasure, at: datetime, due: datetime, entry: AuditEntry) -> bool:
        """Store the record and block the session. Returns False if the visitor is being erased already."""

    async def delete_stored(self, erasure: Erasure) -> ErasureResult:
        """Delete what is stored. A second call deletes what was written since the first."""

    async def delete_image_records(self, names: Sequence[str]) -> None:
        """Delete the records of images whose bytes were removed."""

    async def delete_file_records(self, ids: Sequence[str]) -> None:
        """Delete the records of files whose content was removed."""

    async def record_result(self, erasure: Erasure, events: Sequence[Event], counts: DataCounts) -> None:
        """Add to the record's counts, and to its outbox the events and (once) the audit entry."""

    async def claim(self, now: datetime, until: datetime) -> Erasure | None:
        """Return an erasure that is due, or None. Other replicas do not see it as due before `until`."""

    async def release(self, erasure: Erasure, at: datetime) -> None:
        """Unblock the session, and remove from the record what identifies the visitor."""


class StoredContent(Protocol):
    """The bytes of images and files, by name."""

    async def get(self, name: str) -> bytes | None:
        """Return None if there is no such image. Raises Unavailable."""

    async def read_range(self, name: str, start: int, length: int) -> AsyncIterator[bytes] | None:
        """Return a part of a file in chunks; None if there is no such file. Raises Unavailable."""

    async def remove(self, name: str) -> None:
        """Do nothing if there is no such image or file. Raises Unavailable."""


class RemoteDataSources(Protocol):
    """What the other services store about a visitor."""

    async def __call__(self, subject: DataSubject, conversation_ids: Sequence[int]) -> Mapping[str, Any]:
        """Return the result of each service by name, None if it stores nothing. Raises Unavailable if one fails."""
