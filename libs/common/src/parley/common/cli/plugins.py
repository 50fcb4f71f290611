"""What an installed distribution adds to the command line, found by its entry point."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

import click

from parley.common.mongodb.schema import DatabaseSchema
from parley.common.runtime.settings import ServiceSettings

ENTRY_POINT_GROUP = "parley.commands"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One check of `parley config check` in addition to the settings, e.g. "storage".

    `run` takes the service's settings and returns a line about what it reached. It raises CommandError with the
    problem, in words that name no secret.
    """

    name: str
    run: Callable[[Any], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class CommandPlugin:
    """A distribution's commands, and what the common commands need to know about its service."""

    service: str
    settings: type[ServiceSettings] | None = None
    commands: Sequence[click.Command] = ()
    checks: Sequence[HealthCheck] = ()
    queues: Sequence[str] = ()
    """The queues of its consumer groups, which can have dead letters."""
    schema: DatabaseSchema | None = None
    """The schema of its database, if it has one."""


def load_plugins() -> list[CommandPlugin]:
    """Return the plugins of the installed distributions, sorted by name."""
    return [point.load() for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name)]
