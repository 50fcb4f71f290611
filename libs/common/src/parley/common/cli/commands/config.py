"""`parley config check`: validate every installed service's settings and reach what they name."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass

import click
from pydantic import ValidationError

from parley.common.cli.command import CommandError, CommandResult, async_command
from parley.common.cli.dependency_checks import DEPENDENCIES
from parley.common.cli.plugins import CommandPlugin, HealthCheck, load_plugins
from parley.common.cli.timeouts import CHECK_TIMEOUT_SECONDS
from parley.common.errors import ParleyError
from parley.common.runtime.settings import ServiceSettings, format_errors


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check. `what` is a variable or a dependency; no field contains a secret."""

    service: str
    what: str
    ok: bool
    sentence: str
    """A JSON field of the command's output."""


@async_command(
    "config check",
    "read the settings and try what they name: MongoDB, RabbitMQ, storage, the other services",
    details="Lists all errors, by the variable's name, and never a secret. Exit status 1 if there is one.",
)
@click.option("--offline", is_flag=True, help="Read the settings only; connect to nothing.")
async def check(offline: bool) -> CommandResult:
    results: list[CheckResult] = []
    reached: dict[tuple[str, str], CheckResult] = {}
    for plugin in load_plugins():
        if plugin.settings is None:
            continue
        try:
            settings = plugin.settings()
        except ValidationError as exc:
            results += [
                CheckResult(plugin.service, name, False, reason) for name, reason in format_errors(plugin.settings, exc)
            ]
            continue
        results.append(CheckResult(plugin.service, "settings", True, "read"))
        if not offline:
            results += await _check_dependencies(plugin, settings, reached)
    if not results:
        raise CommandError("no service is installed here")
    return _report(results)


def _report(results: list[CheckResult]) -> CommandResult:
    """Group equal results of several services into one line each."""
    groups: dict[tuple[bool, str, str], list[CheckResult]] = {}
    for result in results:
        groups.setdefault((result.ok, result.what, result.sentence), []).append(result)
    errors = sum(not ok for ok, _, _ in groups)
    lines = [
        f"{'ok   ' if ok else 'ERROR'}  {what}: {sentence} ({', '.join(result.service for result in group)})"
        for (ok, what, sentence), group in groups.items()
    ]
    summary = f"{errors} error(s)" if errors else "No errors."
    data = {"ok": not errors, "findings": [asdict(result) for result in results]}
    return CommandResult(data, "\n".join([*lines, summary]), failed=bool(errors))


async def _check_dependencies(
    plugin: CommandPlugin, settings: ServiceSettings, reached: dict[tuple[str, str], CheckResult]
) -> list[CheckResult]:
    """Try what the settings name. An address that several services share is tried once; `reached` remembers it."""
    results = []
    for dependency in DEPENDENCIES:
        address = dependency.address(settings)
        if address is None:
            continue
        known = reached.get((dependency.name, address))
        if known is None:
            known = reached[dependency.name, address] = await _run_check(plugin.service, dependency.check, settings)
        results.append(CheckResult(plugin.service, known.what, known.ok, known.sentence))
    results += [await _run_check(plugin.service, health_check, settings) for health_check in plugin.checks]
    return results


async def _run_check(service: str, health_check: HealthCheck, settings: ServiceSettings) -> CheckResult:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            return CheckResult(service, health_check.name, True, await health_check.run(settings))
    except CommandError as exc:
        return CheckResult(service, health_check.name, False, exc.message)
    except ParleyError as exc:
        return CheckResult(service, health_check.name, False, exc.message)
    except TimeoutError:
        reason = f"did not answer within {CHECK_TIMEOUT_SECONDS:.0f} s"
        return CheckResult(service, health_check.name, False, reason)
    except Exception as exc:
        # The messages of drivers contain addresses, and with them passwords.
        return CheckResult(service, health_check.name, False, f"failed: {type(exc).__name__}")


COMMANDS = (check,)
