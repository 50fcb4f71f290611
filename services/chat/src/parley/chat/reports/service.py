"""Computes reports: sums the tables of whole days, and the facts of the hours before and after them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parley.chat.accounts.access import require_permission
from parley.chat.accounts.ports import SiteLookup
from parley.chat.reports.figures import Vector, fact_fields, new_vector, to_figures
from parley.chat.reports.model import GroupBy, Period, Report, ReportRow
from parley.chat.reports.periods import QuarterKeys, bounds, list_keys, previous_period, split
from parley.chat.reports.ports import ReportRepository
from parley.chat.reports.tables import NO_ENGINE, NONE, QUARTERS_PER_HOUR, Dimension, Key, add, fact_entries
from parley.chat.sites.errors import SiteNotFound
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Forbidden

_DIMENSIONS = {
    GroupBy.SITE: Dimension.ALL,
    GroupBy.TEAM: Dimension.TEAM,
    GroupBy.OPERATOR: Dimension.OPERATOR,
    GroupBy.LABEL: Dimension.LABEL,
}


@dataclass(frozen=True, slots=True)
class ReportService:
    """Reports about one site, or about all on which the caller has the permission that the route requires."""

    repository: ReportRepository
    sites: SiteLookup

    async def get(self, caller: OperatorCaller, period: Period, site_id: int | None, group_by: GroupBy) -> Report:
        """Raises SiteNotFound, Forbidden."""
        site_ids = await self._authorized_sites(caller, site_id)
        previous = previous_period(period)
        totals = await self._sum_all(caller.tenant_id, site_ids, period)
        previous_totals = await self._sum_all(caller.tenant_id, site_ids, previous)
        if group_by.is_time:
            rows = await self._time_rows(caller.tenant_id, site_ids, period, group_by)
        else:
            rows = await self._group_rows(caller.tenant_id, site_ids, period, group_by)
        currencies = await self.repository.find_currencies(caller.tenant_id, site_ids)
        currency = next(iter(currencies)) if len(currencies) == 1 else None
        return Report(period, previous, group_by, to_figures(totals), to_figures(previous_totals), rows, currency)

    async def _authorized_sites(self, caller: OperatorCaller, site_id: int | None) -> Sequence[int]:
        if site_id is not None:
            if not await self.sites.filter_existing(caller.tenant_id, [site_id]):
                raise SiteNotFound
            require_permission(caller, caller.tenant_id, site_id)
            return [site_id]
        if caller.owner:
            return await self.sites.list_ids(caller.tenant_id)
        if not caller.site_ids:
            raise Forbidden("Reports are for those who manage a site.")
        return await self.sites.filter_existing(caller.tenant_id, caller.site_ids)

    async def _sum_all(self, tenant_id: int, site_ids: Sequence[int], period: Period) -> Vector:
        by_site = await self._sum_by_site(tenant_id, site_ids, period)
        total = new_vector()
        for vector in by_site.values():
            add(total, enumerate(vector))
        return total

    async def _sum_by_site(self, tenant_id: int, site_ids: Sequence[int], period: Period) -> dict[int, Vector]:
        vectors: defaultdict[int, Vector] = defaultdict(new_vector)
        edges, days = split(*bounds(period))
        for start, end in edges:
            async for fact in self.repository.read_facts(tenant_id, site_ids, start, end):
                add(vectors[fact.site_id], fact_fields(fact))
        if days is not None:
            async for day, table in self.repository.read_tables(tenant_id, site_ids, *days, Dimension.ALL):
                for _, fields, values in table.rows():
                    add(vectors[day.site_id], zip(fields, values, strict=True))
        return vectors

    async def _time_rows(
        self, tenant_id: int, site_ids: Sequence[int], period: Period, group_by: GroupBy
    ) -> list[ReportRow]:
        vectors = {key: new_vector() for key in list_keys(group_by, period)}
        keys = QuarterKeys(group_by, period.zone)
        edges, days = split(*bounds(period))
        for start, end in edges:
            async for fact in self.repository.read_facts(tenant_id, site_ids, start, end):
                add(vectors[keys.key_at(fact.began_at)], fact_fields(fact))
        if days is not None:
            by_hour = keys.has_whole_hours(*days)
            dimension, quarters = (Dimension.HOUR, QUARTERS_PER_HOUR) if by_hour else (Dimension.QUARTER, 1)
            async for day, table in self.repository.read_tables(tenant_id, site_ids, *days, dimension):
                row_of = keys.of_day(day.day)
                for part, fields, values in table.rows():
                    add(vectors[row_of[int(part) * quarters]], zip(fields, values, strict=True))
        return [ReportRow(key, to_figures(vector)) for key, vector in vectors.items()]

    async def _group_rows(
        self, tenant_id: int, site_ids: Sequence[int], period: Period, group_by: GroupBy
    ) -> list[ReportRow]:
        if group_by is GroupBy.ENGINE:
            return await self._engine_rows(tenant_id, site_ids, period)
        if group_by is GroupBy.SITE:
            vectors: Mapping[int, Vector] = await self._sum_by_site(tenant_id, site_ids, period)
        else:
            by_key = await self._sum_by_key(tenant_id, site_ids, period, _DIMENSIONS[group_by])
            vectors = {int(key): vector for key, vector in by_key.items()}
        names = await self.repository.find_names(tenant_id, group_by, vectors.keys() - {NONE})
        rows = []
        for key, vector in vectors.items():
            name, deleted = names.get(key, (None, key != NONE))
            rows.append(ReportRow(str(key) if key != NONE else None, to_figures(vector), name, deleted))
        # The busiest first, those without a group last.
        return sorted(rows, key=lambda row: (row.key is None, -row.figures.chats, row.name or "", row.key or ""))

    async def _engine_rows(self, tenant_id: int, site_ids: Sequence[int], period: Period) -> list[ReportRow]:
        vectors = await self._sum_by_key(tenant_id, site_ids, period, Dimension.ENGINE)
        names = {key: str(key) if key != NO_ENGINE else None for key in vectors}
        rows = [ReportRow(names[key], to_figures(vector), names[key]) for key, vector in vectors.items()]
        return sorted(rows, key=lambda row: (row.key is None, -row.figures.usage.cost, row.key or ""))

    async def _sum_by_key(
        self, tenant_id: int, site_ids: Sequence[int], period: Period, dimension: Dimension
    ) -> dict[Key, Vector]:
        vectors: defaultdict[Key, Vector] = defaultdict(new_vector)
        edges, days = split(*bounds(period))
        for start, end in edges:
            async for fact in self.repository.read_facts(tenant_id, site_ids, start, end):
                for key, added in fact_entries(fact, fact_fields(fact), dimension):
                    add(vectors[key], added)
        if days is not None:
            async for _, table in self.repository.read_tables(tenant_id, site_ids, *days, dimension):
                for key, fields, values in table.rows():
                    add(vectors[key], zip(fields, values, strict=True))
        return vectors
