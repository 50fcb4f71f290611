"""Refuses changes of the AI's settings and of its pages that answer tests have not passed, on sites that demand it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from parley.chat.answer_tests.errors import AnswerTestsRequired
from parley.chat.answer_tests.model import Candidate, hash_tests
from parley.chat.answer_tests.ports import AnswerTestRepository, TestRunRepository
from parley.chat.sites.model import Site
from parley.common.runtime.clock import Clock

VALIDITY = timedelta(hours=24)
"""Of a run that has passed: the knowledge changes meanwhile."""
_MAX_NAMED = 20


@dataclass(frozen=True, slots=True)
class AnswerTestGate:
    tests: AnswerTestRepository
    runs: TestRunRepository
    clock: Clock

    async def check(self, before: Site, after: Site) -> None:
        """Raises AnswerTestsRequired."""
        if not before.chatbot.require_answer_tests:
            return
        candidate = Candidate.from_settings(after.chatbot)
        if candidate.hash != Candidate.from_settings(before.chatbot).hash:
            await self._require_passed(before, candidate, self.clock() - VALIDITY)

    async def check_approval(self, site: Site, changed_at: datetime) -> None:
        """Before changes of the knowledge go live, the latest of them from `changed_at`. Raises AnswerTestsRequired."""
        if site.chatbot.require_answer_tests:
            candidate = Candidate.from_settings(site.chatbot, pending_changes=True)
            await self._require_passed(site, candidate, max(changed_at, self.clock() - VALIDITY))

    async def _require_passed(self, site: Site, candidate: Candidate, since: datetime) -> None:
        tests = await self.tests.list_enabled(site.tenant_id, site.id)
        if not tests:
            return
        run = await self.runs.find_latest(site.id, candidate.hash, since)
        if run is None or run.tests_hash != hash_tests(tests):
            raise AnswerTestsRequired(run_id=None, failing=[])
        if not run.passed:
            failing = await self.runs.list_not_right(run, _MAX_NAMED) if run.summary else []
            named = [
                {
                    "test_id": one.test_id,
                    "question": one.question,
                    "verdict": one.candidate.verdict if one.candidate else None,
                }
                for one in failing
            ]
            raise AnswerTestsRequired(run_id=run.id, failing=named)
