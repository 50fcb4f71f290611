"""Refuses changes of the AI's settings and of its pages that answer tests have not passed, on sites that demand it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from parley.chat.answer_tests.errors import AnswerTestsRequired
from parley.chat.answer_tests.model import Candidate, RunResult, hash_tests
from parley.chat.answer_tests.ports import AnswerTestRepository, EntriesReader, TestRunRepository
from parley.chat.sites.engine_check import PRIMARY_ENGINE
from parley.chat.sites.model import Site
from parley.common.runtime.clock import Clock

VALIDITY = timedelta(hours=24)
"""Of a run that has passed: pages and files change meanwhile."""
_MAX_NAMED = 20


@dataclass(frozen=True, slots=True)
class AnswerTestGate:
    tests: AnswerTestRepository
    runs: TestRunRepository
    entries: EntriesReader
    clock: Clock

    async def check(self, before: Site, after: Site) -> None:
        """Every engine whose answers may change must have passed by itself. Raises AnswerTestsRequired."""
        if not before.chatbot.require_answer_tests:
            return
        live, candidate = Candidate.from_settings(before.chatbot), Candidate.from_settings(after.chatbot)
        since = self.clock() - VALIDITY
        if candidate.hash != live.hash:
            await self._require_passed(before, candidate.hash, since)
        for fallback in candidate.list_changed_fallbacks(live):
            await self._require_passed(before, fallback.hash, since, of_fallback=True)

    async def check_approval(self, site: Site, changed_at: datetime) -> None:
        """Before changes of the knowledge go live, the latest of them from `changed_at`. Raises AnswerTestsRequired."""
        if site.chatbot.require_answer_tests:
            candidate = Candidate.from_settings(site.chatbot, pending_changes=True)
            since = max(changed_at, self.clock() - VALIDITY)
            await self._require_passed(site, candidate.hash, since, by_itself=False)

    async def _require_passed(
        self,
        site: Site,
        candidate_hash: str,
        since: datetime,
        *,
        of_fallback: bool = False,
        by_itself: bool = True,
    ) -> None:
        tests = await self.tests.list_enabled(site.tenant_id, site.id)
        if not tests:
            return
        run = await self.runs.find_latest(site.id, candidate_hash, since, of_fallback=of_fallback)
        if run is None or run.tests_hash != hash_tests(tests):
            raise AnswerTestsRequired(run_id=None, failing=[])
        if run.is_older_than(await self.entries.find_version(site.id)):
            raise AnswerTestsRequired(run_id=None, failing=[])
        engines = (one.id for one in run.tested_fallbacks if one.hash == candidate_hash)
        engine_id = next(engines) if of_fallback else PRIMARY_ENGINE
        right = await self.runs.count_right(run, engine_id, by_itself=by_itself)
        if run.state == "done" and right >= len(tests):
            return
        failing: list[RunResult] = []
        if run.summary is not None:
            failing = await self.runs.list_not_right(run, engine_id, _MAX_NAMED, by_itself=by_itself)
        raise AnswerTestsRequired(run_id=run.id, failing=[_describe(one, engine_id) for one in failing])


def _describe(result: RunResult, engine_id: str) -> dict[str, object]:
    answered = result.candidate
    verdict = answered and answered.verdict
    if answered is not None and verdict == "right" and answered.answer.engine != engine_id:
        # Another engine was right in its place.
        verdict = "unknown"
    return {"test_id": result.test_id, "question": result.question, "verdict": verdict, "engine": engine_id}
