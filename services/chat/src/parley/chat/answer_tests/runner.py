"""Carries out runs of answer tests, one question after the other.

A run can be interrupted at any point. What it has answered is stored question by question, and the next owner of the
lease goes on from there.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from parley.chat import metrics
from parley.chat.answer_tests.matching import compare, judge
from parley.chat.answer_tests.model import AnswerTest, GivenAnswer, JudgedAnswer, RunError, RunResult, TestRun
from parley.chat.answer_tests.ports import (
    Answerer,
    AnswerSampler,
    AnswerTestRepository,
    ClaimedRun,
    RealAnswers,
    TestRunRepository,
    TokenLimitReached,
)
from parley.chat.sites.engine_check import PRIMARY_ENGINE
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader, find_site
from parley.chat.timeouts import TEST_RUN_LEASE, TEST_RUN_LEASE_RENEWAL_SECONDS
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock
from parley.common.runtime.tasks import run_until_one_ends

log = get_logger(__name__)

REPLAYED_PERIOD = timedelta(days=30)
_CONCURRENT_QUESTIONS = 2
"""Of one run: visitors' questions come first."""
_MAX_ATTEMPTS = 10
_GIVEN_UP = RunError("interrupted", "The run was interrupted too often.")
_SITE_GONE = RunError("site_deleted", "The site was deleted.")
_NO_TOKENS = RunError("token_limit_reached", "The site's tokens for today are used up.")


@dataclass(frozen=True, slots=True)
class TestRunner:
    runs: TestRunRepository
    tests: AnswerTestRepository
    sites: SiteSettingsReader
    answerer: Answerer
    sampler: AnswerSampler
    real_answers: RealAnswers
    clock: Clock

    async def run_due(self) -> bool:
        """Carry out one run that waits. False if there is none."""
        now = self.clock()
        claimed = await self.runs.claim(now, now + TEST_RUN_LEASE)
        if claimed is None:
            return False
        if claimed.run.attempts > _MAX_ATTEMPTS:
            await self._finish(claimed, _GIVEN_UP)
            return True
        await run_until_one_ends(self._carry_out(claimed), self._keep_lease(claimed))
        return True

    async def _keep_lease(self, claimed: ClaimedRun) -> None:
        """Renew the lease; return when it is lost or the run was cancelled, which ends the work here."""
        while True:
            await asyncio.sleep(TEST_RUN_LEASE_RENEWAL_SECONDS)
            if not await self.runs.renew(claimed, self.clock() + TEST_RUN_LEASE):
                log.info("answer_test_run_lost", run_id=claimed.run.id)
                return

    async def _carry_out(self, claimed: ClaimedRun) -> None:
        run = claimed.run
        site = await find_site(self.sites, run.tenant_id, run.site_id)
        if site is None:
            await self._finish(claimed, _SITE_GONE)
            return
        if not run.prepared:
            await self.runs.prepare(claimed, await self._list_questions(run))
        changes = run.candidate.pending_changes
        await self.answerer.prepare(run.candidate.apply_to(site), candidate=not run.is_live, pending_changes=changes)
        if not run.is_live:
            await self.answerer.prepare(site, candidate=False, pending_changes=False)
        error = None
        try:
            while results := await self.runs.next_unanswered(run, _CONCURRENT_QUESTIONS):
                async with asyncio.TaskGroup() as group:
                    for result in results:
                        group.create_task(self._answer(run, site, result))
        except* TokenLimitReached:
            error = _NO_TOKENS
        await self._finish(claimed, error)

    async def _finish(self, claimed: ClaimedRun, error: RunError | None) -> None:
        metrics.ANSWER_TEST_RUNS.labels(error.code if error else "done").inc()
        await self.runs.finish(claimed, error, self.clock())

    async def _list_questions(self, run: TestRun) -> list[RunResult]:
        tests = await self.tests.list_enabled(run.tenant_id, run.site_id)
        engines = [PRIMARY_ENGINE, *(fallback.id for fallback in run.tested_fallbacks)]
        asked = [(engine_id, test) for engine_id in engines for test in tests]
        results = [_to_result(run, position, *one) for position, one in enumerate(asked, start=1)]
        since = self.clock() - REPLAYED_PERIOD
        sample = await self.sampler.sample(run.site_id, since, run.replays) if run.replays else ()
        results += [
            RunResult(run.id, position, "replay", "", None, replay=one, conversation_id=one.conversation_id)
            for position, one in enumerate(sample, start=len(results) + 1)
        ]
        return results

    async def _answer(self, run: TestRun, site: SiteSettings, result: RunResult) -> None:
        answered = await (self._replay(run, site, result) if result.replay else self._test(run, site, result))
        await self.runs.store_result(run, answered)
        if answered.candidate is not None and answered.candidate.verdict is not None:
            metrics.ANSWER_TESTS.labels(answered.candidate.verdict).inc()

    async def _test(self, run: TestRun, site: SiteSettings, result: RunResult) -> RunResult:
        if result.tested_engine != PRIMARY_ENGINE:
            return await self._test_fallback(run, site, result)
        changes = run.candidate.pending_changes
        candidate = await self.answerer.answer(
            run.candidate.apply_to(site),
            result.question,
            result.language,
            (),
            candidate=not run.is_live,
            pending_changes=changes,
        )
        judged = judge(result.expectation, candidate)
        if run.is_live:
            return replace(result, candidate=judged)
        live = await self.answerer.answer(
            site, result.question, result.language, (), candidate=False, pending_changes=False
        )
        changed, similarity = compare(live, candidate)
        return replace(
            result,
            candidate=judged,
            live=judge(result.expectation, live),
            changed=changed,
            similarity=similarity,
        )

    async def _test_fallback(self, run: TestRun, site: SiteSettings, result: RunResult) -> RunResult:
        """Without the other engines, and not compared: it answers visitors only when those fail."""
        settings = run.candidate.apply_to(site)
        fallback = next(one for one in settings.fallbacks if one.id == result.tested_engine)
        answer = await self.answerer.answer(
            replace(settings.with_engine(fallback), fallbacks=()),
            result.question,
            result.language,
            (),
            candidate=not run.is_live,
            pending_changes=run.candidate.pending_changes,
        )
        return replace(result, candidate=judge(result.expectation, answer))

    async def _replay(self, run: TestRun, site: SiteSettings, result: RunResult) -> RunResult:
        assert result.replay is not None
        real = await self.real_answers.read(run.tenant_id, run.site_id, result.replay)
        if real is None:
            return replace(result, candidate=JudgedAnswer(GivenAnswer("failed", "", error="gone")))
        candidate = await self.answerer.answer(
            run.candidate.apply_to(site),
            real.question,
            real.language,
            real.context,
            candidate=not run.is_live,
            pending_changes=run.candidate.pending_changes,
        )
        changed, similarity = compare(real.answer, candidate)
        return replace(result, candidate=JudgedAnswer(candidate), changed=changed, similarity=similarity)


def _to_result(run: TestRun, position: int, engine_id: str, test: AnswerTest) -> RunResult:
    conversation_id = test.origin.conversation_id if test.origin.verbatim else None
    return RunResult(
        run.id,
        position,
        "test",
        test.question,
        test.language,
        test.id,
        test.expectation,
        conversation_id=conversation_id,
        tested_engine=engine_id,
    )
