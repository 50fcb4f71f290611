"""The shell of `parley`, the administrators' command: finds what the installed distributions offer, and runs it.

A distribution says so in its pyproject.toml, under its own name, and names an `Offer` in its `commands.py`:

    [project.entry-points."parley.commands"]
    chat = "parley.chat.cli:OFFER"

    OFFER = Offer(
        service="chat",
        settings=ChatSettings,
        commands=(Command("owner create", "make a tenant and its first owner", create, _owner_arguments),),
    )

    def _owner_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--email", required=True)

    async def create(wanted: argparse.Namespace) -> Answer:
        password = ask_secret("Password")           # never in argv
        settings = read_settings(ChatSettings)      # raises Refused with every fault
        ...
        return Answer({"email": owner.email}, f"Made {owner.email}.")

A command's text goes to standard output; with `--json`, which every command has, its data does. What goes wrong is one
line on standard error, without a traceback (with PARLEY_LOG_LEVEL=debug, with one): raise `Refused`, or any
`ParleyError`. Exit status: 0 done; 1 refused or failed, also where the answer says `failed`; 2 not how it is used.
Something that every service has its part in (settings, checks, queues) is a field of `Offer`; `offers()` gives all.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import logging
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, TypeVar

import orjson
import structlog
from pydantic import ValidationError

from parley.common.errors import ParleyError, ValidationFailed
from parley.common.mongodb.schema import Schema
from parley.common.runtime.settings import ServiceSettings, format_errors

GROUP = "parley.commands"
_INDENT = "  "


class Refused(Exception):
    """A command cannot or may not do what is wanted; the sentence says why to a person."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers: data for `--json`, and the text a person reads. `failed` makes the exit status 1."""

    data: Any
    text: str
    failed: bool = False


Arguments = Callable[[argparse.ArgumentParser], None]


def no_arguments(parser: argparse.ArgumentParser) -> None:
    """For commands that take none."""


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand: one or two words, what it does in half a line, and `about` for its own help."""

    name: str
    summary: str
    run: Callable[[argparse.Namespace], Awaitable[Answer]]
    arguments: Arguments = no_arguments
    about: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """What `parley config check` looks at beside the settings, e.g. "storage". `run` gives a line on what is there.

    It raises Refused with what is wrong, in words that name no secret.
    """

    name: str
    run: Callable[[Any], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a distribution brings to the command. `queues` are its consumer groups', which can have dead letters."""

    service: str
    settings: type[ServiceSettings] | None = None
    commands: Sequence[Command] = ()
    checks: Sequence[Check] = ()
    queues: Sequence[str] = ()
    schema: Schema | None = None
    """Of its database, where it has one."""


def offers() -> list[Offer]:
    """What the distributions that are installed here offer, by name."""
    return [point.load() for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)]


S = TypeVar("S", bound=ServiceSettings)


def read_settings(kind: type[S]) -> S:
    """A service's settings from the environment. Raises Refused with every fault at once."""
    try:
        return kind()
    except ValidationError as exc:
        faults = "\n".join(f"{_INDENT}{name}: {sentence}" for name, sentence in format_errors(kind, exc))
        raise Refused(f"the configuration has {exc.error_count()} fault(s):\n{faults}") from exc


def required_variable(name: str) -> str:
    """A variable of the environment, for commands that need that one alone. Raises Refused where it is not set."""
    value = os.environ.get(name, "")
    if not value:
        raise Refused(f"the environment variable {name} is not set")
    return value


def ask_secret(prompt: str) -> str:
    """A secret, typed unseen, or the first line of standard input: it stands in no process list and no history."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{prompt}: ")
    return sys.stdin.readline().rstrip("\r\n")


def confirm(question: str) -> None:
    """Go on only where a person types yes. Raises Refused."""
    if not sys.stdin.isatty():
        raise Refused("nobody is there to confirm it; say --yes to go on without being asked")
    sys.stderr.write(f"{question} Type yes to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise Refused("not confirmed; nothing was done")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows under their columns, as wide as they need."""
    lines = [tuple(str(cell) for cell in row) for row in (columns, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    return "\n".join(
        _INDENT.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def parser_of(found: Sequence[Offer]) -> argparse.ArgumentParser:
    """The command line of some offers. Raises ValueError where two offer the same command."""
    commands = sorted((command for offer in found for command in offer.commands), key=lambda command: command.name)
    names = [command.name for command in commands]
    if len(set(names)) < len(names):
        raise ValueError(f"offered twice: {sorted({name for name in names if names.count(name) > 1})}")
    parser = argparse.ArgumentParser(
        prog="parley",
        usage="parley COMMAND ...",
        description="Administers a Parley installation. It reads the same environment as the services.",
        epilog=_list_of(commands, "\n`parley COMMAND --help` says more about one."),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = parser.add_subparsers(prog="parley", metavar="COMMAND", required=True, help=argparse.SUPPRESS)
    groups: dict[str, list[Command]] = {}
    for command in commands:
        groups.setdefault(command.name.partition(" ")[0], []).append(command)
    for word, members in groups.items():
        if members[0].name == word:
            _add(words, word, members[0])
            continue
        group = words.add_parser(
            word,
            usage=f"parley {word} COMMAND ...",
            epilog=_list_of(members),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        verbs = group.add_subparsers(prog=f"parley {word}", metavar="COMMAND", required=True, help=argparse.SUPPRESS)
        for command in members:
            _add(verbs, command.name.partition(" ")[2], command)
    return parser


def _list_of(commands: Sequence[Command], more: str = "") -> str:
    width = max((len(command.name) for command in commands), default=0)
    rows = [f"{_INDENT}{command.name.ljust(width)}{_INDENT}{command.summary}" for command in commands]
    return "\n".join(["commands:", *rows, *([more] if more else [])])


def _add(words: Any, word: str, command: Command) -> None:
    summary = command.summary[:1].upper() + command.summary[1:]
    parser = words.add_parser(
        word,
        description=f"{summary}.\n\n{command.about}".strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.arguments(parser)
    parser.add_argument("--json", action="store_true", help="answer with data, as JSON")
    parser.set_defaults(command=command)


def run(wanted: argparse.Namespace) -> int:
    """Run the command that the command line names, and answer. Returns the exit status."""
    command: Command = wanted.command
    try:
        answer = asyncio.run(_awaited(command, wanted))
    except Refused as exc:
        return _failed(str(exc))
    except ValidationFailed as exc:
        return _failed("; ".join(f"{name} {why}" for name, why in exc.fields.items()) or exc.message)
    except ParleyError as exc:
        return _failed(exc.message)
    except KeyboardInterrupt:
        return _failed("interrupted")
    except Exception as exc:
        return _failed(f"{command.name} failed: {type(exc).__name__}: {_first_line(exc)}")
    sys.stdout.write(_shown(answer, as_json=wanted.json))
    sys.stdout.flush()
    return 1 if answer.failed else 0


async def _awaited(command: Command, wanted: argparse.Namespace) -> Answer:
    return await command.run(wanted)


def _shown(answer: Answer, *, as_json: bool) -> str:
    if as_json:
        return orjson.dumps(answer.data, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode() + "\n"
    return f"{answer.text}\n" if answer.text else ""


def _first_line(problem: BaseException) -> str:
    return str(problem).partition("\n")[0][:300]


def _failed(sentence: str) -> int:
    if os.environ.get("PARLEY_LOG_LEVEL", "").lower() == "debug":
        traceback.print_exc()
    sys.stderr.write(f"parley: {sentence}\n")
    return 1


def _quiet() -> None:
    """Logs are for services: a command shows its answer, and warnings of the libraries would stand in its data."""
    logging.disable(logging.CRITICAL)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns the exit status; leaves by SystemExit(2) where the command line is not understood."""
    parser = parser_of(offers())
    _quiet()
    return run(parser.parse_args(arguments))
