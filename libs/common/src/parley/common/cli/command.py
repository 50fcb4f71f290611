"""A command: a coroutine function behind click options that returns a result, printed as text or as JSON."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

import click
import orjson

from parley.common.errors import ParleyError, ValidationFailed


class CommandError(click.ClickException):
    """A command cannot do what was asked. The message is one line for a person; the exit status is 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"parley: {self.format_message()}", file=file, err=True)


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command returns: `data` for `--json`, `text` for a person. `failed` makes the exit status 1."""

    data: Any
    text: str
    failed: bool = False


class AsyncCommand(click.Command):
    """Runs its coroutine function, prints the result, and turns exceptions into one line on standard error."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(click.Option(["--json", "as_json"], is_flag=True, help="Print the result as JSON."))

    def invoke(self, ctx: click.Context) -> None:
        assert self.callback is not None, "made by async_command"
        as_json = ctx.params.pop("as_json")
        try:
            result: CommandResult = asyncio.run(self.callback(**ctx.params))
        except (click.UsageError, CommandError):
            _print_traceback()
            raise
        except (Exception, KeyboardInterrupt) as exc:
            _print_traceback()
            raise CommandError(_describe_failure(self, exc)) from exc
        sys.stdout.write(_format_result(result, as_json=as_json))
        sys.stdout.flush()
        if result.failed:
            ctx.exit(1)


def async_command(name: str, summary: str, *, details: str = "") -> Callable[[Callable[..., Any]], AsyncCommand]:
    """Turn a coroutine function that returns a `CommandResult` into a command; add options with `click.option`.

    `name` is one word, or two: a group and a verb, like "owner create". `summary` is half a line in lower case.
    """
    sentence = f"{summary[:1].upper()}{summary[1:]}."
    return click.command(name, cls=AsyncCommand, short_help=summary, help=f"{sentence}\n\n{details}".strip())


def _describe_failure(command: click.Command, exc: BaseException) -> str:
    match exc:
        case ValidationFailed():
            return "; ".join(f"{name} {reason}" for name, reason in exc.fields.items()) or exc.message
        case ParleyError():
            return exc.message
        case KeyboardInterrupt():
            return "interrupted"
        case _:
            first_line = str(exc).partition("\n")[0][:300]
            return f"{command.name} failed: {type(exc).__name__}: {first_line}"


def _print_traceback() -> None:
    if os.environ.get("PARLEY_LOG_LEVEL", "").lower() == "debug":
        traceback.print_exc()


def _format_result(result: CommandResult, *, as_json: bool) -> str:
    if as_json:
        return orjson.dumps(result.data, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode() + "\n"
    return f"{result.text}\n" if result.text else ""
