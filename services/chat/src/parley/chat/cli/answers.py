"""`parley answers`: the tests of what a site's AI answers, for the continuous integration of a site."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
from pydantic import ValidationError

from parley.chat.answer_tests.errors import MAX_REPLAYS, NothingToTest, TestRunActive
from parley.chat.answer_tests.model import RunResult, TestRun
from parley.chat.answer_tests.run_service import TestRunService
from parley.chat.answer_tests.schemas import RunBody, serialize_result, serialize_run
from parley.chat.cli.context import open_context
from parley.chat.settings import ChatSettings
from parley.chat.timeouts import TEST_RUN_COMMAND_POLL_SECONDS, TEST_RUN_COMMAND_SECONDS
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.cli import CommandError, CommandResult, async_command, format_table, read_settings
from parley.common.errors import Forbidden, NotFound, ValidationFailed

_ENDED = ("done", "failed", "cancelled")
_PAGE = 1000


@async_command(
    "answers test",
    "run a site's answer tests; the exit status is 1 if one is not answered right",
    details="A running chat service carries them out. The tests are those that the panel shows.",
)
@click.option("--site", "site_id", type=int, required=True, metavar="ID", help="As `parley site list` shows it.")
@click.option("--operator", required=True, metavar="EMAIL|ID", help="An operator who manages the site.")
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="JSON with the settings to test: engine, model, instructions, ai, fallbacks. Without: the present ones.",
)
@click.option("--pending-changes", is_flag=True, help="Use the knowledge with all changes that wait to be approved.")
@click.option(
    "--replays",
    type=click.IntRange(0, MAX_REPLAYS),
    default=0,
    metavar="N",
    help="Also compare so many real answers of the last 30 days.",
)
async def test(
    site_id: int, operator: str, settings_file: Path | None, pending_changes: bool, replays: int
) -> CommandResult:
    fields = _read_settings(settings_file) if settings_file else {}
    async with open_context(read_settings(ChatSettings)) as context:
        caller = (await context.impersonate(operator)).with_required_permission(Permission.MANAGE)
        runs = context.admin.test_run_service
        try:
            run = await runs.start(caller, site_id, fields, pending_changes=pending_changes, replays=replays)
            run = await _wait(runs, caller, run)
        except (NothingToTest, TestRunActive, ValidationFailed) as exc:
            raise CommandError(exc.message) from None
        except NotFound:
            raise CommandError(f"{operator} has no site {site_id}") from None
        except Forbidden as exc:
            raise CommandError(exc.message) from None
        version = await runs.find_entries_version(site_id)
        results = await runs.list_results(caller, site_id, run.id, None, 0, _PAGE)
    data = {
        "run": serialize_run(run, version).model_dump(mode="json"),
        "results": [serialize_result(result).model_dump(mode="json") for result in results],
    }
    return CommandResult(data, _describe(run, results), failed=not run.passed)


def _read_settings(path: Path) -> dict[str, object]:
    try:
        return RunBody.parse_json(path.read_bytes()).to_fields()
    except ValidationError as exc:
        names = sorted({".".join(map(str, error["loc"])) or "the document" for error in exc.errors()})
        raise CommandError(f"{path}: not valid: {', '.join(names)}") from None


async def _wait(runs: TestRunService, caller: OperatorCaller, run: TestRun) -> TestRun:
    """Raises CommandError, and cancels the run, if it takes too long."""
    try:
        async with asyncio.timeout(TEST_RUN_COMMAND_SECONDS):
            while run.state not in _ENDED:
                await asyncio.sleep(TEST_RUN_COMMAND_POLL_SECONDS)
                run = await runs.get(caller, run.site_id, run.id)
            return run
    except TimeoutError:
        await runs.cancel(caller, run.site_id, run.id)
        raise CommandError("the tests took too long: is chat running?") from None


def _describe(run: TestRun, results: list[RunResult]) -> str:
    names = {one.id: one.model or one.engine for one in run.tested_fallbacks}
    rows = [
        (
            one.candidate.verdict or "",
            one.question,
            names.get(one.tested_engine, ""),
            ", ".join(f"{reason.kind} {reason.text}".strip() for reason in one.candidate.reasons),
        )
        for one in results
        if one.candidate is not None
    ]
    lines = [format_table(("result", "question", "fallback", "reasons"), rows)] if rows else []
    if run.summary is not None:
        totals = run.summary.candidate
        lines.append(
            f"{totals.right} right, {totals.wrong} wrong, {totals.unknown} unknown;"
            f" {totals.tokens} tokens, {totals.seconds:.1f} s"
        )
        if run.summary.replays:
            lines.append(f"{run.summary.changed} of {run.summary.replays} real answers would change")
    if run.error is not None:
        lines.append(f"The run ended early: {run.error.message}")
    return "\n".join(lines)


COMMANDS = (test,)
