"""Reading configuration inside a command: problems are one CommandError, not an exit of the process."""

from __future__ import annotations

import os
from typing import TypeVar

from pydantic import ValidationError

from parley.common.cli.command import CommandError
from parley.common.runtime.settings import ServiceSettings, format_errors

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def read_settings(settings_type: type[SettingsT]) -> SettingsT:
    """Read a service's settings from the environment. Raises CommandError that lists every error."""
    try:
        return settings_type()
    except ValidationError as exc:
        errors = "\n".join(f"  {name}: {reason}" for name, reason in format_errors(settings_type, exc))
        raise CommandError(f"the configuration has {exc.error_count()} error(s):\n{errors}") from exc


def require_env_var(name: str) -> str:
    """Return an environment variable, for commands that need no settings. Raises CommandError if it is not set."""
    value = os.environ.get(name, "")
    if not value:
        raise CommandError(f"the environment variable {name} is not set")
    return value
