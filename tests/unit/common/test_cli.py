"""The framework of the `parley` command line: what it prints, how it fails, and which commands are installed."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence

import click
import pytest
from click.testing import CliRunner, Result

from parley.common.cli import (
    CommandError,
    CommandPlugin,
    CommandResult,
    async_command,
    confirm,
    format_table,
    load_plugins,
    prompt_secret,
    read_settings,
)
from parley.common.cli.main import build_cli
from parley.common.errors import Unavailable, ValidationFailed
from parley.common.runtime.settings import ServiceSettings


@async_command("beans count", "count beans", details="Slowly.")
@click.option("--most", type=int, default=3)
async def count(most: int) -> CommandResult:
    return CommandResult({"most": most}, f"counted to {most}")


BEANS = CommandPlugin("shop", commands=(count,))


def failing(exc: BaseException) -> CommandPlugin:
    @async_command("fail", "fail")
    async def fail() -> CommandResult:
        raise exc

    return CommandPlugin("shop", commands=(fail,))


def run(plugin: CommandPlugin, *arguments: str) -> Result:
    return CliRunner().invoke(build_cli([plugin]), arguments, prog_name="parley")


def test_result_is_printed_as_text_or_as_json() -> None:
    result = run(BEANS, "beans", "count")
    assert (result.exit_code, result.stdout) == (0, "counted to 3\n")
    result = run(BEANS, "beans", "count", "--most", "5", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"most": 5})


@pytest.mark.parametrize(
    ("exc", "message"),
    [
        (CommandError("no beans left"), "no beans left"),
        (Unavailable("The store is closed."), "The store is closed."),
        (ValidationFailed({"most": "is too much"}), "most is too much"),
        (ValueError("first line\nsecond line"), "fail failed: ValueError: first line"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_failure_is_one_line_on_standard_error_without_a_traceback(
    exc: BaseException, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARLEY_LOG_LEVEL", raising=False)
    result = run(failing(exc), "fail")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"parley: {message}\n")


def test_traceback_is_printed_at_log_level_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_LOG_LEVEL", "debug")
    result = run(failing(ValueError("beans")), "fail")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr


def test_failed_result_is_printed_and_exits_with_1() -> None:
    @async_command("look", "look")
    async def look() -> CommandResult:
        return CommandResult({"errors": 2}, "2 errors", failed=True)

    result = run(CommandPlugin("shop", commands=(look,)), "look")
    assert (result.exit_code, result.stdout) == (1, "2 errors\n")


@pytest.mark.parametrize("arguments", [[], ["beans"], ["beans", "eat"], ["beans", "count", "--most", "many"]])
def test_wrong_usage_exits_with_2(arguments: Sequence[str]) -> None:
    assert run(BEANS, *arguments).exit_code == 2


@pytest.mark.parametrize("arguments", [["--help"], ["beans", "--help"], ["beans", "count", "--help"]])
def test_help_lists_commands(arguments: Sequence[str]) -> None:
    result = run(BEANS, *arguments)
    assert result.exit_code == 0
    assert "ount beans" in result.stdout
    assert result.stdout.startswith(f"Usage: parley{''.join(f' {word}' for word in arguments[:-1])} ")


def test_command_defined_by_two_plugins_is_rejected() -> None:
    with pytest.raises(ValueError, match="beans count"):
        build_cli([BEANS, CommandPlugin("kitchen", commands=(count,))])


def test_every_installed_command_is_available() -> None:
    plugins = load_plugins()
    assert [plugin.service for plugin in plugins] == ["chat", "common", "gateway", "notify", "presence", "translate"]
    names = {command.name for plugin in plugins for command in plugin.commands}
    assert names == {
        "owner create",
        "site create",
        "site list",
        "api-key create",
        "api-key list",
        "api-key revoke",
        "visitor export",
        "visitor erase",
        "dead-letters list",
        "dead-letters replay",
        "vapid-key create",
        "search rebuild",
        "answers test",
        "backup",
        "restore",
        "config check",
        "environment",
        "schema migrate",
        "schema status",
    }
    listed = CliRunner().invoke(build_cli(plugins), ["--help"]).stdout
    assert all(name in listed for name in names if name is not None)


def test_secret_is_the_first_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("hush \nmore\n"))
    assert prompt_secret("Password") == "hush "


def test_confirmation_without_a_terminal_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    with pytest.raises(CommandError, match="--yes"):
        confirm("Really?")


def test_configuration_errors_are_listed_together_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AMQP_URL", "PARLEY_IDENTITY_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AMQP_URL", "http://user:hush@rabbit")
    monkeypatch.setenv("PARLEY_PORT", "no-number")
    with pytest.raises(CommandError) as error:
        read_settings(ServiceSettings)
    message = error.value.message
    assert all(name in message for name in ("AMQP_URL", "PARLEY_IDENTITY_SECRET", "PARLEY_PORT"))
    assert "hush" not in message
    assert "no-number" not in message


def test_table_columns_are_as_wide_as_their_cells() -> None:
    assert format_table(("a", "long"), [("wide", 1)]) == "a     long\nwide  1"
