"""What reports need from storage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from parley.chat.conversations.model import Conversation
from parley.chat.reports.model import Fact, GroupBy
from parley.chat.reports.tables import Dimension, Table


@dataclass(frozen=True, slots=True)
class SiteDay:
    """A UTC day of a site."""

    tenant_id: int
    site_id: int
    day: date


@dataclass(frozen=True, slots=True)
class DueDay:
    """A day whose tables are to be built. `revision` counts the changes of its facts."""

    key: SiteDay
    revision: int


class FactRepository(Protocol):
    """Facts of conversations, and the tables of their days."""

    async def find_conversations(self, conversation_ids: Collection[int]) -> Sequence[Conversation]: ...

    async def store_facts(self, facts: Sequence[Fact], due: datetime) -> None:
        """Store facts that are not older than the stored ones, then mark their days: their tables are built at `due`.

        The days are marked in any case, so that after a crash in between, a repetition marks them.
        """

    async def delete_facts(self, conversation_ids: Collection[int], due: datetime) -> None:
        """Delete the facts of conversations that were erased, and mark their days."""

    async def claim_day(self, now: datetime, until: datetime) -> DueDay | None:
        """The day that is due first. Until `until`, no other replica builds it."""

    def read_day(self, day: SiteDay) -> AsyncIterator[Fact]: ...

    async def store_tables(self, day: DueDay, tables: Mapping[Dimension, Table], not_before: datetime) -> None:
        """Store tables built from all facts up to a revision; no effect if those of a later one are stored.

        If the facts have changed since, the day stays due, at `not_before` at the earliest.
        """

    async def list_sites(self) -> Sequence[tuple[int, int]]:
        """Tenant and site of all stored days."""

    async def delete_site(self, tenant_id: int, site_id: int) -> None: ...


class ReportRepository(Protocol):
    """What a report is read from."""

    def read_tables(
        self, tenant_id: int, site_ids: Sequence[int], first: date, last: date, dimension: Dimension
    ) -> AsyncIterator[tuple[SiteDay, Table]]:
        """The tables of UTC days, both included."""

    def read_facts(
        self, tenant_id: int, site_ids: Sequence[int], start: datetime, end: datetime
    ) -> AsyncIterator[Fact]:
        """The facts of conversations that began at `start` or later, and before `end`."""

    async def find_currencies(self, tenant_id: int, site_ids: Collection[int]) -> set[str]:
        """The currencies in which the sites' AI is priced."""

    async def find_names(
        self, tenant_id: int, group_by: GroupBy, ids: Collection[int]
    ) -> Mapping[int, tuple[str, bool]]:
        """The names of sites, teams, operators or labels by their ids, and whether each was deleted."""
