"""Runs of answer tests: started, watched and cancelled by those who manage a site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from parley.chat.accounts.access import require_permission
from parley.chat.actors import operator_ref
from parley.chat.answer_tests.errors import NothingToTest
from parley.chat.answer_tests.model import Candidate, RunResult, TestRun, Verdict, hash_tests
from parley.chat.answer_tests.ports import AiSettingsChanger, AnswerTestRepository, EntriesReader, TestRunRepository
from parley.chat.audit.service import AuditService
from parley.chat.ids import NextId
from parley.chat.sites.model import Site
from parley.chat.sites.service import SiteService
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class TestRunService:
    """Methods raise NotFound, and Forbidden without the route's permission on the site."""

    tests: AnswerTestRepository
    runs: TestRunRepository
    sites: SiteService
    ai_settings: AiSettingsChanger
    entries: EntriesReader
    audit: AuditService
    next_id: NextId
    clock: Clock

    async def start(
        self,
        caller: OperatorCaller,
        site_id: int,
        fields: Mapping[str, Any],
        *,
        pending_changes: bool = False,
        replays: int = 0,
    ) -> TestRun:
        """Have the tests run in the background, with some of the AI's settings changed but not saved.

        Fallbacks that these settings change are asked each test by themselves.
        `replays` real answers are compared, which needs the permission to see the site's conversations.
        Raises NothingToTest, TestRunActive, ValidationFailed.
        """
        site = await self.sites.get(caller, site_id)
        if replays:
            require_permission(caller, site.tenant_id, site.id, Permission.VIEW)
        tests = await self.tests.list_enabled(caller.tenant_id, site_id)
        if not tests and not replays:
            raise NothingToTest
        # Before what is tested is read: a change meanwhile makes the run too old, not the change tested.
        entries_version = await self.entries.find_version(site_id)
        candidate = await self._build_candidate(site, fields, pending_changes=pending_changes)
        live = Candidate.from_settings(site.chatbot, pending_changes=pending_changes)
        run = TestRun(
            id=await self.next_id(),
            tenant_id=caller.tenant_id,
            site_id=site_id,
            candidate=candidate,
            is_live=candidate == Candidate.from_settings(site.chatbot),
            tested_fallbacks=tuple(candidate.list_changed_fallbacks(live)),
            entries_version=entries_version,
            replays=replays,
            created_at=self.clock(),
            created_by=operator_ref(caller),
            tests_hash=hash_tests(tests),
            total=len(tests),
        )
        await self.runs.add(run)
        await self.audit.record(caller, "answer_test.run_started", f"answer_test_run:{run.id}", site_id)
        return run

    async def list_page(self, caller: OperatorCaller, site_id: int, before: int, limit: int) -> list[TestRun]:
        """A site's runs, newest first; `limit` + 1 if there are more than `limit`."""
        await self.sites.get(caller, site_id)
        return await self.runs.list_page(caller.tenant_id, site_id, before, limit + 1)

    async def get(self, caller: OperatorCaller, site_id: int, run_id: int) -> TestRun:
        """Raises TestRunNotFound."""
        await self.sites.get(caller, site_id)
        return await self.runs.get(caller.tenant_id, site_id, run_id)

    async def find_entries_version(self, site_id: int) -> str:
        """Of the knowledge entries as they are now, for `TestRun.is_older_than`."""
        return await self.entries.find_version(site_id)

    async def cancel(self, caller: OperatorCaller, site_id: int, run_id: int) -> TestRun:
        """Raises TestRunNotFound."""
        run = await self.get(caller, site_id, run_id)
        await self.runs.cancel(run, self.clock())
        return await self.runs.get(caller.tenant_id, site_id, run_id)

    async def list_results(
        self, caller: OperatorCaller, site_id: int, run_id: int, verdict: Verdict | None, after: int, limit: int
    ) -> list[RunResult]:
        """What the tests gave, in order; `limit` + 1 if there are more than `limit`. Raises TestRunNotFound."""
        run = await self.get(caller, site_id, run_id)
        return await self.runs.list_results(run, "test", verdict, None, after, limit + 1)

    async def _build_candidate(self, site: Site, fields: Mapping[str, Any], *, pending_changes: bool) -> Candidate:
        changed = dict(fields)
        if "ai" in changed:
            changed["ai"] = await self.ai_settings.apply(site.id, site.chatbot.ai, changed["ai"])
        if "fallbacks" in changed:
            before = site.chatbot.fallbacks
            changed["fallbacks"] = await self.ai_settings.apply_fallbacks(site.id, before, changed["fallbacks"])
        live = Candidate.from_settings(site.chatbot, pending_changes=pending_changes)
        return replace(live, **changed)
