"""Input from and output to a person at a terminal: secrets, confirmations, tables."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence

from parley.common.cli.command import CommandError


def prompt_secret(prompt: str) -> str:
    """Read a secret without echo, or the first line of standard input if that is no terminal.

    Secrets are never options: those show up in process lists and shell histories.
    """
    if sys.stdin.isatty():
        return getpass.getpass(f"{prompt}: ")
    return sys.stdin.readline().rstrip("\r\n")


def confirm(question: str) -> None:
    """Return if a person types yes. Raises CommandError otherwise."""
    if not sys.stdin.isatty():
        raise CommandError("standard input is not a terminal; confirm with --yes")
    sys.stderr.write(f"{question} Type yes to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise CommandError("not confirmed; nothing was done")


def format_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Format rows as left-aligned columns under their names."""
    lines = [tuple(str(cell) for cell in row) for row in (columns, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
