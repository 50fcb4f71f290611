"""Groups questions by meaning, in the background: each goes into the gap whose first question it is nearest to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from parley.chat.ids import NextId
from parley.chat.knowledge_gaps.model import UnansweredQuestion
from parley.chat.knowledge_gaps.ports import GapRepository, QuestionComparer
from parley.chat.retrieval.model import ComparedQuestion
from parley.chat.retrieval.ports import RetrievalFailed
from parley.chat.sites.site_settings import SiteSettingsReader
from parley.chat.timeouts import GAP_CLAIM
from parley.common.errors import NotFound
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock

log = get_logger(__name__)

MAX_LEADERS = 1000
"""Gaps with which a question is compared: those that were asked about last."""
_BATCH = 50
_SITES_PER_RUN = 20


@dataclass(frozen=True, slots=True)
class QuestionGrouper:
    gaps: GapRepository
    sites: SiteSettingsReader
    comparer: QuestionComparer
    next_id: NextId
    clock: Clock

    async def group_waiting(self) -> None:
        """Group the questions that wait, one batch of each site. Replicas take different sites."""
        for tenant_id, site_id in await self.gaps.list_waiting_sites(_SITES_PER_RUN):
            now = self.clock()
            if not await self.gaps.claim_site(site_id, now, now + GAP_CLAIM):
                continue
            try:
                await self._group(tenant_id, site_id)
            except RetrievalFailed as exc:
                log.warning("questions_not_grouped", site_id=site_id, error=str(exc)[:300])
            finally:
                await self.gaps.release_site(site_id, self.clock())

    async def _group(self, tenant_id: int, site_id: int) -> None:
        try:
            site = await self.sites.get(tenant_id, site_id)
        except NotFound:
            await self.gaps.remove_site(site_id)
            return
        waiting = await self.gaps.list_waiting(site_id, _BATCH)
        leaders = await self.gaps.list_leaders(site_id, MAX_LEADERS)
        groups = await self.comparer.group_questions(
            site,
            [ComparedQuestion(one.question, one.language, one.vector, one.model) for one in leaders],
            [ComparedQuestion(one.text, one.language) for one in waiting],
        )
        for leader, compared in zip(leaders, groups.leaders, strict=True):
            if compared.model != leader.model:
                await self.gaps.set_vector(replace(leader, vector=compared.vector, model=compared.model))
        gap_ids = [leader.gap_id for leader in leaders]
        for question, compared, leader_at in zip(waiting, groups.questions, groups.nearest, strict=True):
            if leader_at == len(gap_ids):
                gap_ids.append(await self._add(question, compared))
            await self.gaps.assign(question, gap_ids[leader_at])
        await self.gaps.recount(sorted({gap_ids[leader_at] for leader_at in groups.nearest}))

    async def _add(self, question: UnansweredQuestion, compared: ComparedQuestion) -> int:
        gap_id = await self.next_id()
        await self.gaps.add(gap_id, question, compared.vector, compared.model)
        return gap_id
